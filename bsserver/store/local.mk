bsserver_libbsserver_a_SOURCES += \
	bsserver/store/sqlite_anchor.c \
	bsserver/store/sqlite_apply.c \
	bsserver/store/sqlite_db.c bsserver/store/sqlite_db.h \
	bsserver/store/sqlite_feed.c \
	bsserver/store/sqlite_get.c \
	bsserver/store/sqlite_handoff.c \
	bsserver/store/sqlite_held.c \
	bsserver/store/sqlite_hot.c bsserver/store/sqlite_hot.h \
	bsserver/store/sqlite_internal.h \
	bsserver/store/sqlite_list.c \
	bsserver/store/sqlite_note.c \
	bsserver/store/sqlite_queue.c bsserver/store/sqlite_queue.h \
	bsserver/store/sqlite_row.c \
	bsserver/store/sqlite_schema.c bsserver/store/sqlite_schema.h \
	bsserver/store/sqlite_session.c \
	bsserver/store/sqlite_sql.c bsserver/store/sqlite_sql.h \
	bsserver/store/sqlite_wish.c \
	bsserver/store/sqlite_withdrawn.c \
	bsserver/store/sqlite_writer.c \
	bsserver/store/store.c bsserver/store/store.h \
	bsserver/store/store_sqlite.c \
	bsserver/store/transcript.c bsserver/store/transcript.h
bsserver_libkeys_a_SOURCES += \
	bsserver/store/sqlite_cred.c \
	bsserver/store/sqlite_seal.c \
	bsserver/store/store_key.c
