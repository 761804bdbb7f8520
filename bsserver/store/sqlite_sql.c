#include "bsserver/store/sqlite_sql.h"

#include "bsserver/store/store.h"

#define DEVICE_COLUMNS                                                                             \
	"d.endpoint, d.doc, d.revision, d.state, d.created_ms, d.updated_ms, d.compiled_key,"      \
	" s.last_session, s.verdict, s.reason, s.ended_ms, s.format, s.confirmed, s.failures"
#define DEVICE_FROM " FROM device d CROSS JOIN device_session s ON s.device = d.id"
#define PROFILE_COLUMNS "name, doc, revision, updated_ms"
#define SESSION_COLUMNS                                                                            \
	"id, verdict, step, reason, code, used_format, revision, started_ms, ended_ms, exchanges," \
	" dropped, path, endpoint, peer, credential, rule, profile, fingerprints, detail, unconfirmed," \
	" anchor, given"

#define HELD_COLUMNS                                                                               \
	"session, last_session, at_ms, started_ms, last_ms, good, restored, revision, seen,"       \
	" likeness, profile, fingerprints, expiries, links, vals, findings, placed, wrote"
#define HELD_COLUMNS_OF_H                                                                          \
	"h.session, h.last_session, h.at_ms, h.started_ms, h.last_ms, h.good, h.restored,"         \
	" h.revision, h.seen, h.likeness, h.profile, h.fingerprints, h.expiries, h.links, h.vals," \
	" h.findings, h.placed, h.wrote"

/* Devices that are there still, with what they came under and were given to trust. */
#define REMAINING                                                                                  \
	" FROM given g CROSS JOIN device d ON d.id = g.device AND d.state <> 2"                    \
	" WHERE g.kind IN ('under', 'anchor')"

/* What speaks against retiring an anchor: '' is of what is not known. */
#define OF_ANCHOR(sha256) "g.sha256 IN (" sha256 ", '') AND g.kind IN ('under', 'anchor', 'unknown')"

#define HANDOFF_COLUMNS                                                                            \
	"endpoint, target, server, ssid, state, late, version, session, since_ms, settled_ms,"     \
	" due_ms, attempts, error, known_fp, other_fp, known, other"

/* The names of the profiles it extends, each with an end of line before and behind; NULL when none. */
#define EXTENDS(doc)                                                                               \
	"(SELECT char(10) || group_concat(value, char(10)) || char(10) FROM"                       \
	" json_each(CASE WHEN json_valid(" doc ") THEN " doc " ELSE '{}' END, '$.extends'))"

static const char *const texts[] = {
	[SQ_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[SQ_BEGIN_READ] = "BEGIN",
	[SQ_COMMIT] = "COMMIT",
	[SQ_SAVE] = "SAVEPOINT change",
	[SQ_RELEASE] = "RELEASE change",
	[SQ_UNDO] = "ROLLBACK TO change",
	[SQ_META_GET] = "SELECT value FROM meta WHERE name = ?1",
	[SQ_META_PUT] = "INSERT OR REPLACE INTO meta(name, value) VALUES(?1, ?2)",

	[SQ_FIND] = "SELECT id, revision, state, doc FROM device WHERE endpoint = ?1",
	[SQ_FIND_PROFILE] = "SELECT id, revision, 0, doc FROM profile WHERE name = ?1",
	[SQ_INSERT] = "INSERT INTO device(endpoint, revision, updated_ms, created_ms, doc, extends, state,"
		      " compiled, compiled_key)"
		      " VALUES(?1, ?2, ?3, ?3, ?4, " EXTENDS("?4") ", 0, ?5, ?6)",
	[SQ_INSERT_PROFILE] = "INSERT INTO profile(name, revision, updated_ms, doc) VALUES(?1, ?2, ?3, ?4)",
	[SQ_UPDATE] = "UPDATE device SET revision = ?2, updated_ms = ?3, doc = ?4, extends = " EXTENDS(
	    "?4") ", compiled = ?5, compiled_key = ?6 WHERE endpoint = ?1",
	[SQ_UPDATE_PROFILE] = "UPDATE profile SET revision = ?2, updated_ms = ?3, doc = ?4 WHERE name = ?1",
	[SQ_REMOVE] = "DELETE FROM device WHERE endpoint = ?1",
	[SQ_REMOVE_PROFILE] = "DELETE FROM profile WHERE name = ?1",
	[SQ_HISTORY_KEEP] = "INSERT INTO history(kind, name, revision, updated_ms, doc)"
			    " SELECT 0, endpoint, revision, updated_ms, doc FROM device WHERE endpoint = ?1",
	[SQ_HISTORY_KEEP_PROFILE] = "INSERT INTO history(kind, name, revision, updated_ms, doc)"
				    " SELECT 1, name, revision, updated_ms, doc FROM profile WHERE name = ?1",
	[SQ_HISTORY_LIST] = "SELECT endpoint, doc, revision AS r, updated_ms FROM device WHERE endpoint = ?1"
			    " UNION ALL SELECT name, doc, revision, updated_ms FROM history"
			    " WHERE kind = 0 AND name = ?1 ORDER BY r DESC",
	[SQ_HISTORY_LIST_PROFILE] = "SELECT name, doc, revision AS r, updated_ms FROM profile WHERE name = ?1"
				    " UNION ALL SELECT name, doc, revision, updated_ms FROM history"
				    " WHERE kind = 1 AND name = ?1 ORDER BY r DESC",
	[SQ_HISTORY_PRUNE] = "DELETE FROM history WHERE kind = ?1 AND name = ?2 AND revision <="
			     " (SELECT revision FROM history WHERE kind = ?1 AND name = ?2"
			     " ORDER BY revision DESC LIMIT 1 OFFSET ?3)",
	[SQ_HISTORY_REMOVE] = "DELETE FROM history WHERE kind = ?1 AND name = ?2",
	[SQ_SET_STATE] = "UPDATE device SET state = ?1, updated_ms = ?2 WHERE id = ?3",
	[SQ_COMPILED_PUT] = "UPDATE device SET compiled = ?1, compiled_key = ?2 WHERE id = ?3",

	[SQ_CRED_LIST] = "SELECT slot, identity, fingerprint, revision, generated, sealed FROM credential"
			 " WHERE kind = ?1 AND owner = ?2 ORDER BY slot",
	[SQ_CRED_PUT] = "INSERT INTO credential(kind, owner, slot, identity, fingerprint, revision,"
			" generated, sealed) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
			" ON CONFLICT(kind, owner, slot) DO UPDATE SET identity = excluded.identity,"
			" fingerprint = excluded.fingerprint, revision = excluded.revision,"
			" generated = excluded.generated, sealed = excluded.sealed",
	[SQ_CRED_REMOVE] = "DELETE FROM credential WHERE kind = ?1 AND owner = ?2 AND slot = ?3",
	[SQ_CRED_REMOVE_ALL] = "DELETE FROM credential WHERE kind = ?1 AND owner = ?2",
	[SQ_CRED_BY_IDENTITY] = "SELECT owner FROM credential WHERE identity = ?1"
				" AND kind = 0 AND slot = '" STORE_SLOT_BOOTSTRAP "'",
	[SQ_AUDIT_PUT] = "INSERT INTO audit(seq, at_ms, actor, action, object, detail, reason)"
			 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",

	[SQ_SESSION_OF] = "SELECT d.id, s.last_session, s.verdict, s.failures, s.kept,"
			  " EXISTS (SELECT 1 FROM held WHERE device = d.id AND good = 0),"
			  " EXISTS (SELECT 1 FROM given WHERE device = d.id)" DEVICE_FROM
			  " WHERE d.endpoint = ?1",
	[SQ_SESSION_PUT] = "INSERT INTO session(" SESSION_COLUMNS ", device, transcript) VALUES("
			   "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
			   " ?19, ?20, ?21, ?22, ?23, ?24)",
	[SQ_SESSION_NOTE] = "UPDATE device_session SET last_session = ?1, verdict = ?2, reason = ?3, ended_ms = ?4,"
			    " format = iif(?5 < 0, format, ?5), confirmed = iif(?6 = 0, confirmed, ?6),"
			    " failures = ?7, kept = ?8 WHERE device = ?9",
	[SQ_SESSION_NOTE_KNOWN] = "UPDATE device_session SET last_session = ?1, verdict = ?2, reason = ?3,"
				  " ended_ms = ?4, format = iif(?5 < 0, format, ?5), confirmed = iif(?6 = 0, confirmed, ?6),"
				  " failures = ?7, kept = ?8 WHERE device = ?9 AND last_session = ?10 AND kept = ?11",
	[SQ_SESSION_KEPT] = "UPDATE device_session SET kept = ?1 WHERE device = ?2",
	[SQ_SESSION_PRUNE] = "DELETE FROM session WHERE id IN"
			     " (SELECT id FROM session WHERE device = ?1 ORDER BY id LIMIT ?2)",
	[SQ_SESSION_SWEEP] = "DELETE FROM session WHERE id IN"
			     " (SELECT s.id FROM session s CROSS JOIN device_session d ON d.device = s.device"
			     " WHERE s.id >= ?1 AND s.id <> d.last_session ORDER BY s.id LIMIT ?2)"
			     " RETURNING id, device",
	[SQ_SESSION_FEWER] = "UPDATE device_session SET kept = kept - 1 WHERE device = ?1",
	[SQ_SESSION_REMOVE] = "DELETE FROM session WHERE device = ?1",
	[SQ_SESSION_NEW] = "INSERT INTO device_session(device, last_session, verdict, reason, ended_ms, format,"
			   " confirmed, failures, kept) VALUES(?1, 0, 0, 0, 0, -1, 0, 0, 0)",
	[SQ_SESSION_NOTE_REMOVE] = "DELETE FROM device_session WHERE device = ?1 RETURNING verdict",

	/* a device that was not here since has no sessions since */
	[SQ_DEVICE_GET] = "SELECT " DEVICE_COLUMNS ", d.compiled, d.id,"
			  " EXISTS (SELECT 1 FROM wish WHERE device = d.id),"
			  " iif(s.ended_ms <= ?2, 0, (SELECT count(*) FROM session"
			  "  WHERE device = d.id AND ended_ms > ?2 AND verdict IN (1, 2))), "
			  HELD_COLUMNS_OF_H DEVICE_FROM " LEFT JOIN held h ON h.session ="
			  " (SELECT max(session) FROM held WHERE device = d.id AND good = 1) WHERE d.endpoint = ?1",
	[SQ_PROFILE_GET] = "SELECT " PROFILE_COLUMNS " FROM profile WHERE name = ?1",
	[SQ_DEVICE_LIST] = "SELECT d.extends, " DEVICE_COLUMNS DEVICE_FROM
			   " WHERE d.endpoint >= ?1 ORDER BY d.endpoint",
	[SQ_PROFILE_LIST] = "SELECT " PROFILE_COLUMNS " FROM profile WHERE name >= ?1 ORDER BY name",
	[SQ_SESSION_LIST] = "SELECT " SESSION_COLUMNS " FROM session WHERE id < ?1 ORDER BY id DESC",
	[SQ_SESSION_LIST_OF] = "SELECT " SESSION_COLUMNS " FROM session WHERE id IN"
			       " (SELECT id FROM session WHERE device ="
			       "   (SELECT id FROM device WHERE endpoint = ?1)"
			       "  UNION ALL SELECT id FROM session WHERE device = 0 AND endpoint = ?1)"
			       " AND id < ?2 ORDER BY id DESC",
	[SQ_SESSION_GET] = "SELECT " SESSION_COLUMNS ", transcript FROM session WHERE id = ?1",
	[SQ_SESSION_LAST] = "SELECT " SESSION_COLUMNS ", transcript FROM session WHERE id = (SELECT max(i) FROM"
			    " (SELECT max(id) AS i FROM session WHERE device ="
			    "   (SELECT id FROM device WHERE endpoint = ?1)"
			    "  UNION ALL SELECT max(id) FROM session WHERE device = 0 AND endpoint = ?1))",
	[SQ_WITHDRAW] = "INSERT OR REPLACE INTO withdrawn(kind, owner, fingerprint, slot, why, number, at_ms, actor)"
			" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQ_WITHDRAW_ALL] = "INSERT OR REPLACE INTO withdrawn(kind, owner, fingerprint, slot, why, number, at_ms, actor)"
			    " SELECT kind, owner, fingerprint, slot, ?3, ?4, ?5, ?6 FROM credential"
			    " WHERE kind = ?1 AND owner = ?2",
	[SQ_WITHDRAWN_UNDO] = "DELETE FROM withdrawn WHERE kind = ?1 AND owner = ?2 AND fingerprint = ?3",
	[SQ_WITHDRAWN_PRUNE] = "DELETE FROM withdrawn WHERE kind = ?1 AND owner = ?2 AND number <= (SELECT number"
			       " FROM withdrawn WHERE kind = ?1 AND owner = ?2 ORDER BY number DESC LIMIT 1 OFFSET ?3)",
	[SQ_WITHDRAWN_REMOVE] = "DELETE FROM withdrawn WHERE kind = ?1 AND owner = ?2",
	[SQ_WITHDRAWN_FIND] = "SELECT why, number, at_ms, owner, slot, actor FROM withdrawn"
			      " WHERE fingerprint = ?2 AND (kind = 1 OR (kind = 0 AND owner = ?1))"
			      " AND NOT EXISTS(SELECT 1 FROM credential c WHERE c.kind = 0 AND c.owner = ?1"
			      "  AND c.fingerprint = ?2)"
			      " AND NOT EXISTS(SELECT 1 FROM credential c WHERE c.kind = 1 AND c.fingerprint = ?2)"
			      " ORDER BY why DESC, number DESC LIMIT 1",
	[SQ_ISSUED_PUT] = "INSERT INTO given(device, session, kind, path, sha256, subject, not_after, at_ms)"
			  " VALUES(0, 0, 'issued', ?1, ?2, ?3, ?4, ?5)",
	[SQ_ISSUED_GET] = "SELECT 0 FROM given WHERE device = 0 AND kind = 'issued' AND sha256 = ?1",
	[SQ_REVOKED_PUT] = "INSERT INTO revoked(sha256, number, at_ms, detail) VALUES(?1, ?2, ?3, ?4)",
	[SQ_REVOKED_GET] = "SELECT number FROM revoked WHERE sha256 = ?1",
	[SQ_FEED_REVOKED] = "SELECT sha256, detail FROM revoked",
	[SQ_HELD_PUT] = "INSERT INTO held(" HELD_COLUMNS ", device)"
			" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"
			" ?18, ?19)",
	[SQ_HELD_AGAIN] = "UPDATE held SET last_session = ?1, started_ms = ?2, last_ms = ?3, expiries = ?4,"
			  " links = ?5, vals = ?6, findings = ?7, placed = ?8 WHERE session = ?9",
	[SQ_HELD_FINDINGS] = "UPDATE held SET last_session = ?1, started_ms = ?2, last_ms = ?3, findings = ?4"
			     " WHERE session = ?5 AND device = ?6 AND good = 1",
	[SQ_HELD_SAME] = "UPDATE held SET last_session = ?1, started_ms = ?2, last_ms = ?3, expiries = ?4,"
			 " links = ?5, vals = ?6, findings = ?7, placed = ?8 WHERE session = ?9 AND device = ?10"
			 " AND good = 1 AND revision = ?11 AND restored = ?12 AND seen = ?13 AND likeness = ?14"
			 " AND profile IS ?15 AND fingerprints IS ?16"
			 " AND session = (SELECT max(session) FROM held WHERE device = ?10 AND good = 1)",
	[SQ_HELD_PRUNE] = "DELETE FROM held WHERE session IN (SELECT session FROM held WHERE device = ?1 AND good = 1"
			  " ORDER BY session DESC LIMIT -1 OFFSET ?2) AND session NOT IN"
			  " (SELECT session FROM wish WHERE device = ?1)",
	[SQ_HELD_UNDO] = "DELETE FROM held WHERE device = ?1 AND good = 0",
	[SQ_HELD_REMOVE] = "DELETE FROM held WHERE device = ?1",
	[SQ_HELD_LAST] = "SELECT " HELD_COLUMNS " FROM held WHERE device = ?1 AND good = 1"
			 " ORDER BY session DESC LIMIT 1",
	[SQ_HELD_OF] = "SELECT " HELD_COLUMNS " FROM held WHERE device = ?1 AND good = 1 AND session <= ?2"
		       " AND last_session >= ?2 ORDER BY session DESC LIMIT 1",
	[SQ_HELD_SEEN] = "SELECT " HELD_COLUMNS " FROM held WHERE device = ?1 ORDER BY last_session DESC LIMIT 1",
	[SQ_HELD_LIST] = "SELECT " HELD_COLUMNS " FROM held WHERE device = ?1 ORDER BY last_session DESC",
	[SQ_WISH_PUT] = "INSERT OR REPLACE INTO wish(device, kind, number, asked_ms, actor, profile, session,"
			" with_credentials, done_session, done_revision) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0)",
	[SQ_WISH_REMOVE] = "DELETE FROM wish WHERE device = ?1 AND kind = ?2",
	[SQ_WISH_REMOVE_ALL] = "DELETE FROM wish WHERE device = ?1",
	[SQ_WISH_LIST] = "SELECT kind, number, asked_ms, actor, profile, session, with_credentials, done_session,"
			 " done_revision FROM wish WHERE device = ?1",
	[SQ_WISH_DONE] = "UPDATE wish SET done_session = ?1, done_revision = ?2"
			 " WHERE device = ?3 AND kind = ?4 AND number = ?5",
	[SQ_WISH_MET] = "DELETE FROM wish WHERE device = ?1 AND kind = ?2 AND number = ?3",
	[SQ_ANCHOR_GET] = "SELECT trust, retired, number FROM anchor WHERE sha256 = ?1",
	[SQ_ANCHOR_PUT] = "INSERT OR REPLACE INTO anchor(sha256, trust, retired, number, at_ms, actor, der)"
			  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQ_ANCHOR_LIST] = "SELECT k.sha256, a.trust, a.retired, a.number, a.at_ms, a.actor, a.der, k.subject,"
			   " k.not_after, k.under, k.given FROM"
			   " (SELECT g.sha256 AS sha256, max(g.subject) AS subject, max(g.not_after) AS not_after,"
			   "   count(DISTINCT iif(g.kind = 'under', g.device, NULL)) AS under,"
			   "   count(DISTINCT iif(g.kind = 'anchor', g.device, NULL)) AS given" REMAINING
			   "  GROUP BY g.sha256"
			   "  UNION ALL SELECT sha256, NULL, NULL, 0, 0 FROM anchor b WHERE NOT EXISTS"
			   "  (SELECT 1" REMAINING " AND g.sha256 = b.sha256)) k"
			   " LEFT JOIN anchor a ON a.sha256 = k.sha256 ORDER BY k.sha256",
	[SQ_ANCHOR_REMAINING] = "SELECT DISTINCT d.endpoint, g.kind = 'unknown' FROM given g"
				" CROSS JOIN device d ON d.id = g.device AND d.state <> 2 WHERE " OF_ANCHOR("?1")
				" ORDER BY d.endpoint",
	[SQ_GIVEN_UNDER] = "DELETE FROM given WHERE device = ?1 AND kind = 'under' AND sha256 IS NOT ?2",
	[SQ_GIVEN_ADD] = "INSERT INTO given(device, session, at_ms, kind, path, sha256, subject, not_after)"
			 " SELECT ?1, ?2, ?3, value ->> 'kind', value ->> 'path', value ->> 'digest',"
			 " value ->> 'subject', value ->> 'not_after' FROM json_each(iif(json_valid(?4), ?4, '[]')) WHERE true"
			 " ON CONFLICT(device, kind, path, sha256) DO UPDATE SET session = excluded.session,"
			 " at_ms = excluded.at_ms",
	[SQ_GIVEN_ONLY] = "DELETE FROM given WHERE device = ?1 AND kind <> 'under' AND session <> ?2",
	[SQ_GIVEN_REMOVE] = "DELETE FROM given WHERE device = ?1",
	[SQ_GIVEN_LIST] = "SELECT g.id, d.endpoint, g.kind, g.path, g.sha256, g.subject, g.not_after, g.session,"
			  " g.at_ms FROM given g LEFT JOIN device d ON d.id = g.device"
			  " WHERE g.id > ?1 AND (?2 IS NULL OR (" OF_ANCHOR("?2") "))"
			  " AND (?3 = 0 OR (g.not_after <= ?3 AND g.kind <> 'under' AND (g.kind <> 'issued'"
			  " OR NOT EXISTS (SELECT 1 FROM revoked r WHERE r.sha256 = g.sha256)))) ORDER BY g.id",
	[SQ_DEVICE_LIST_UNDER] = "SELECT d.extends, " DEVICE_COLUMNS DEVICE_FROM
				 " WHERE d.endpoint >= ?1 AND d.id IN (SELECT device FROM given"
				 " WHERE sha256 = ?2 AND kind IN ('under', 'anchor')) ORDER BY d.endpoint",
	[SQ_FEED_ANCHORS] = "SELECT sha256, trust, retired, at_ms, der FROM anchor ORDER BY number",
	[SQ_HANDOFF_PUT] = "INSERT INTO handoff(" HANDOFF_COLUMNS ") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
			   " ?11, ?12, ?13, ?14, ?15, ?16, ?17 WHERE ?7 = 1 OR EXISTS(SELECT 1 FROM handoff"
			   " WHERE endpoint = ?1 AND target = ?2)"
			   " ON CONFLICT(endpoint, target) DO UPDATE SET server = excluded.server,"
			   " ssid = excluded.ssid, state = excluded.state, late = excluded.late,"
			   " version = excluded.version, session = excluded.session, since_ms = excluded.since_ms,"
			   " settled_ms = excluded.settled_ms, due_ms = excluded.due_ms,"
			   " attempts = excluded.attempts, error = excluded.error, known_fp = excluded.known_fp,"
			   " other_fp = excluded.other_fp, known = excluded.known, other = excluded.other"
			   " WHERE version = excluded.version - 1",
	[SQ_HANDOFF_REMOVE] = "DELETE FROM handoff WHERE endpoint = ?1 AND target = ?2 AND version = ?3",
	[SQ_HANDOFF_LIST] = "SELECT " HANDOFF_COLUMNS " FROM handoff WHERE (endpoint, target) > (?1, ?2)"
			    " ORDER BY endpoint, target",
	[SQ_HANDOFF_LIST_OF] = "SELECT " HANDOFF_COLUMNS " FROM handoff WHERE endpoint = ?1 AND target > ?2"
			       " ORDER BY target",
	[SQ_HANDOFF_LIST_DUE] = "SELECT " HANDOFF_COLUMNS " FROM handoff WHERE due_ms > 0 AND due_ms <= ?3"
				" AND (endpoint, target) > (?1, ?2) ORDER BY endpoint, target",
	[SQ_HANDOFF_LEAVE] = "UPDATE handoff SET state = ?1, due_ms = ?2, since_ms = ?2, attempts = 0,"
			     " version = version + 1 WHERE endpoint = ?3",
	[SQ_AUDIT_LIST] = "SELECT seq, at_ms, actor, action, object, detail, reason FROM audit"
			  " WHERE seq < ?1 AND at_ms >= ?2 ORDER BY seq DESC",
	[SQ_NOTE_PUT] = "INSERT INTO note(kind, name, number, text) VALUES(?1, ?2, ?3, ?4)"
			" ON CONFLICT(kind, name, number) DO UPDATE SET text = excluded.text",
	[SQ_NOTE_REMOVE] = "DELETE FROM note WHERE kind = ?1 AND name = ?2 AND number = ?3",
	[SQ_NOTE_REMOVE_ALL] = "DELETE FROM note WHERE kind = ?1 AND name = ?2",
	[SQ_NOTE_LIST] = "SELECT name, number, text FROM note WHERE kind = ?1 ORDER BY name, number",
	[SQ_FEED_DEVICES] = "SELECT d.endpoint, d.state, c.identity, c.slot, c.sealed FROM device d"
			    " LEFT JOIN credential c ON c.kind = 0 AND c.owner = d.endpoint"
			    " AND c.slot = '" STORE_SLOT_BOOTSTRAP "' ORDER BY d.endpoint",
	[SQ_FEED_REGISTRY] = "SELECT owner, sealed, identity FROM credential WHERE kind = 0"
			     " AND slot = '" STORE_SLOT_REGISTRY "'",
};
_Static_assert(sizeof texts / sizeof *texts == SQ__COUNT, "one text per statement");

const char *
sq_sql(enum sq_query q)
{
	return texts[q];
}
