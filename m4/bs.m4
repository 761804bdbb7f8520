dnl The project's own configure macros: switches for developers, warnings, hardening, and the summary.

AC_DEFUN([BS_DEVELOPER_SWITCHES], [
AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [warnings are errors])],
	[], [enable_werror=no])
AC_ARG_ENABLE([sanitizers], [AS_HELP_STRING([--enable-sanitizers@<:@=LIST@:>@],
	[build with sanitizers, address,undefined unless named])],
	[AS_IF([test "x$enableval" = xyes], [enable_sanitizers=address,undefined])],
	[enable_sanitizers=no])
AC_ARG_ENABLE([fuzzing], [AS_HELP_STRING([--enable-fuzzing],
	[link the fuzz targets with libFuzzer (clang only); without it they replay their seeds])],
	[], [enable_fuzzing=no])
AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage], [count covered lines (gcov)])],
	[], [enable_coverage=no])
AS_IF([test "x$enable_sanitizers" != xno], [
	AC_DEFINE([SANITIZERS], [1], [Sanitizers are in: the programs take many times as long.])
	BS_SANITIZE="-fsanitize=$enable_sanitizers -fno-omit-frame-pointer -fno-sanitize-recover=all"])
AS_IF([test "x$enable_fuzzing" = xyes], [
	BS_SANITIZE="$BS_SANITIZE -fsanitize=fuzzer-no-link"
	FUZZ_LDFLAGS="-fsanitize=fuzzer"])
AS_IF([test "x$enable_coverage" = xyes], [BS_COVERAGE="--coverage"])
AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" != xno])
AC_SUBST([BS_SANITIZE])
AC_SUBST([BS_COVERAGE])
AC_SUBST([FUZZ_LDFLAGS])
])

dnl BS_CC_FLAG(VARIABLE, FLAG): append FLAG to VARIABLE when the compiler takes it.
AC_DEFUN([BS_CC_FLAG], [
AS_VAR_PUSHDEF([cache], [bs_cv_cc_$2])
AC_CACHE_CHECK([whether $CC takes $2], [cache], [
	bs_save=$CFLAGS; CFLAGS="$CFLAGS -Werror $2"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
	CFLAGS=$bs_save])
AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
AS_VAR_POPDEF([cache])
])

AC_DEFUN([BS_WARNINGS], [
BS_WARN="-std=gnu11 -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes"
BS_WARN="$BS_WARN -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wvla -Wundef"
AS_IF([test "x$enable_werror" = xyes], [BS_WARN="$BS_WARN -Werror"])
AC_SUBST([BS_WARN])
])

dnl On by default; a sanitizer build leaves out what gets in its way.
AC_DEFUN([BS_HARDENING], [
AC_ARG_ENABLE([hardening], [AS_HELP_STRING([--disable-hardening], [no hardening flags])],
	[], [enable_hardening=yes])
BS_HARDEN=
BS_HARDEN_LD=
BS_CLEAR_REGS=
BS_NO_PLT=
AS_IF([test "x$enable_hardening" = xyes], [
	BS_CC_FLAG([BS_HARDEN], [-fstack-protector-strong])
	BS_CC_FLAG([BS_HARDEN], [-fstack-clash-protection])
	BS_CC_FLAG([BS_HARDEN], [-fcf-protection])
	BS_CC_FLAG([BS_HARDEN], [-fPIE])
	BS_CC_FLAG([BS_CLEAR_REGS], [-fzero-call-used-regs=used])
	BS_CC_FLAG([BS_HARDEN_LD], [-Wl,-z,relro])
	BS_CC_FLAG([BS_HARDEN_LD], [-Wl,-z,now])
	BS_CC_FLAG([BS_HARDEN_LD], [-Wl,-z,noexecstack])
	BS_HARDEN_LD="$BS_HARDEN_LD -pie"
	BS_CC_FLAG([BS_NO_PLT], [-fno-plt]) # all is bound at the start: calls need not go by a table that binds late
	AS_IF([test "x$enable_sanitizers" = xno && test "x$enable_fuzzing" = xno], [
		AS_CASE(["$CFLAGS"], [*-O0*], [], [BS_HARDEN="$BS_HARDEN -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])])])
AC_SUBST([BS_HARDEN])
AC_SUBST([BS_HARDEN_LD])
AC_SUBST([BS_CLEAR_REGS])
AC_SUBST([BS_NO_PLT])
])

dnl BS_LTO and BS_LTO_LD: what is on the daemon's hot path is optimized across files. Objects are usable
dnl without, so that the many test programs are linked in no time.
AC_DEFUN([BS_WHOLE_PROGRAM], [
AC_ARG_ENABLE([lto], [AS_HELP_STRING([--disable-lto], [no link-time optimization])],
	[], [enable_lto=yes])
BS_LTO=
AS_CASE(["$CFLAGS"], [*-O0*|*-flto*], [enable_lto=no])
AS_IF([test "x$enable_sanitizers$enable_fuzzing$enable_coverage" != xnonono], [enable_lto=no])
AS_IF([test "x$enable_lto" = xyes], [BS_CC_FLAG([BS_LTO], [-flto -ffat-lto-objects])])
AS_IF([test -n "$BS_LTO"], [BS_LTO_LD="-flto=auto -Wno-maybe-uninitialized" BS_NO_LTO_LD=-fno-lto], [enable_lto=no])
AC_SUBST([BS_LTO])
AC_SUBST([BS_LTO_LD])
AC_SUBST([BS_NO_LTO_LD])
])

dnl JEMALLOC_LIBS: records are made by one thread and freed by another, many small pieces each.
AC_DEFUN([BS_ALLOCATOR], [
AC_ARG_WITH([jemalloc], [AS_HELP_STRING([--without-jemalloc], [bsserver with the allocator of the C library])],
	[], [with_jemalloc=check])
AS_IF([test "x$enable_sanitizers$enable_fuzzing" != xnono], [with_jemalloc=no])
AS_IF([test "x$with_jemalloc" != xno], [
	PKG_CHECK_MODULES([JEMALLOC], [jemalloc >= 5.0], [with_jemalloc=yes], [
		AS_IF([test "x$with_jemalloc" = xyes], [AC_MSG_ERROR([jemalloc was asked for and is not there])])
		with_jemalloc=no])])
])

AC_DEFUN([BS_SUMMARY], [
AS_ECHO(["
  $PACKAGE_NAME $PACKAGE_VERSION
    compiler      $CC
    prefix        $prefix
    warnings      werror: $enable_werror
    hardening     $enable_hardening
    sanitizers    $enable_sanitizers
    fuzzing       $enable_fuzzing
    coverage      $enable_coverage
    optimization  of bsserver across files: $enable_lto
    allocator     jemalloc: $with_jemalloc
    unit tests    check: $have_check
    libcoap       $($PKG_CONFIG --modversion libcoap-3-gnutls)
    gnutls        $($PKG_CONFIG --modversion gnutls)
    sqlite        $($PKG_CONFIG --modversion sqlite3)
"])
])
