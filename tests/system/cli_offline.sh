#!/bin/bash
# The command line without a daemon: what it prints and how it ends, word by word. TAP.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"

. "$(dirname "$0")/cli_frame.sh"

# --- files that are fine -------------------------------------------------------------------------

for file in "$SRCDIR"/profiles/examples/*.json; do
	name=$(basename "$file")
	"$PROV" check --strict -f "$file" -I "$SRCDIR/profiles/examples" >out 2>err
	rc=$?
	why=
	[ $rc -eq 0 ] && [ "$(cat out)" = '1 document: 0 errors, 0 warnings' ] && [ ! -s err ] || why=$(cat out err)
	report "check: $name"
	"$PROV" fmt -f - <"$file" >once.json && "$PROV" fmt -f - <once.json >twice.json
	why=$(diff once.json twice.json)
	[ -s once.json ] || why='nothing was written'
	report "fmt: $name is the same when it is formatted again"
done

cat >one.json <<'END'
{"servers":{"dm":{"uri":"coap://192.0.2.1","short_server_id":101,"security":{"mode":"nosec"}}},
 "bootstrap": {"policy": "replace"},
 "endpoint":"dev-1","profile_format":1}
END
expect 0 'check: a file of one document' check -f one.json <<'END'
1 document: 0 errors, 0 warnings
END
expect 1 'fmt --check: names a file that is not in its form' fmt --check -f one.json <<'END'
one.json: is not in its canonical form
END
chmod 640 one.json
expect 0 'fmt: rewrites it' fmt -f one.json <<'END'
one.json: rewritten
END
why=
[ "$(stat -c %a one.json)" = 640 ] || why="its mode is $(stat -c %a one.json)"
report 'fmt: keeps the mode'
expect 0 'fmt --check: is content then' fmt --check -f one.json <<'END'
END
cat one.json >fine.json
expect 0 'fmt: leaves it as it is then' fmt -f one.json fine.json <<'END'
END

printf '\357\273\277{"profile_format":1,"profile":"bom","bootstrap":{"policy":"replace"}}\r\n' >bom.json
expect 0 'check: a byte order mark is no fault' check -f bom.json <<'END'
1 document: 0 errors, 0 warnings
END
expect 0 'fmt: takes it away' fmt -f bom.json <<'END'
bom.json: rewritten
END
why=$(head -c 1 bom.json | grep -v '{')
report 'fmt: it is gone'

# --- files that are not --------------------------------------------------------------------------

printf '{ "profile_format": 1,\n  "endpoint": "dev-2",,\n}\n' >syntax.json
expect 3 'check: a syntax error with its place' check -f syntax.json <<'END'
syntax.json:2:23: error: string or '}' expected (the document) [syntax]
1 document: 1 error, 0 warnings
END
expect 3 'fmt: does not touch it' fmt -f syntax.json <<'END'
! lwm2m-prov: syntax.json:2:23: string or '}' expected
END
expect 3 'check: a syntax error as JSON' check --json -f syntax.json <<'END'
{
  "documents": 1,
  "errors": 1,
  "warnings": 0,
  "findings": [
    {
      "rule": "syntax",
      "severity": "error",
      "file": "syntax.json",
      "line": 2,
      "column": 23,
      "path": "",
      "reason": "string or '}' expected"
    }
  ]
}
END

cat >many.json <<'END'
{
  "profile_format": 1,
  "endpoint": "dev-3",
  "servers": {
    "dm": { "short_server_id": 0, "uri": "coap://0.0.0.0", "security": { "mode": "nosec" } },
    "fota": { "short_server_id": 7, "uri": "coap://192.0.2.7", "securty": { "mode": "nosec" } }
  },
  "bootstrap": { "policy": "replace" }
}
END
"$PROV" check -f many.json >out 2>err
rc=$?
why=
[ $rc -eq 3 ] || why="ended with $rc"
for rule in 'many.json:5:32: error: .*\[reserved-short-server-id\]' 'many.json:5:42: error: .*\[unspecified-address\]' \
	'many.json:6:64: error: .*did you mean "security".*\[unknown-key\]'; do
	grep -q "^$rule" out || why="$why
not found: $rule"
done
[ -z "$why" ] || why="$why
$(cat out err)"
report 'check: all that is wrong with a file, not the first only'

cat >fleet.ndjson <<'END'
{"profile_format":1,"endpoint":"a","bootstrap":{"policy":"replace"}}

{"profile_format":1,"endpoint":"b","bootstrap":{"policy":"replace"}
{"profile_format":1,"endpoint":"a","bootstrap":{"policy":"replace"},"credentials":{"bootstrap":{"mode":"psk","identity":"a","key":{"file":"none.key"}}}}
END
"$PROV" check -f fleet.ndjson >out 2>err
rc=$?
why=
[ $rc -eq 3 ] || why="ended with $rc"
for line in 'fleet.ndjson:3:67: error: .*\[syntax\]' \
	'fleet.ndjson:4:[0-9]*: error: .*none.key: No such file or directory .*\[file\]' \
	'fleet.ndjson:4:32: error: .*fleet.ndjson:1:32.*\[duplicate-endpoint\]' '3 documents: 3 errors'; do
	grep -q "^$line" out || why="$why
not found: $line"
done
[ -z "$why" ] || why="$why
$(cat out err)"
report 'check: several documents as one fleet, each line with its own place'

expect 3 'check: a file that is not there' check -f nowhere.json <<'END'
! lwm2m-prov: nowhere.json: No such file or directory
END
mkdir empty
expect 3 'check: a folder without documents' check -f empty <<'END'
! lwm2m-prov: empty: holds no *.json, *.ndjson or *.jsonl
END
expect 3 'check: an object folder that is not there' check -f one.json --object-dir nowhere <<'END'
! lwm2m-prov: --object-dir: nowhere: No such file or directory
END
expect 3 'apply: a file that is not there' apply -f nowhere.json <<'END'
! lwm2m-prov: nowhere.json: No such file or directory
END

# --- command lines -------------------------------------------------------------------------------

while IFS='|' read -r line want; do
	read -ra words <<<"$line"
	expect 2 "usage: $line" "${words[@]}" <<<"! lwm2m-prov: $want"
done <<'END'
|a command is missing: see lwm2m-prov --help
chek|unknown command "chek": did you mean "check"?
aply -f x|unknown command "aply": did you mean "apply"?
enroll|unknown command "enroll": see lwm2m-prov --help
device|device: one of add, list, show, card, history, diff, rollback, handover, rm, block, unblock must follow
device ad x|unknown command "device ad": did you mean "device add"?
device frobnicate x|unknown command "device frobnicate": device takes add, list, show, card, history, diff, rollback, handover, rm, block, unblock
check -f|option --file: needs a value: --file FILE
check -f x --frobnicate|unknown option "--frobnicate"
check -f x --strcit|unknown option "--strcit": did you mean "--strict"?
check one.json|check: "one.json" is one argument too many (usage: lwm2m-prov check -f FILE... [-I DIR]... [--root DIR] [--object-dir DIR]... [--strict])
device show|device show: ENDPOINT is missing (usage: lwm2m-prov device show ENDPOINT [--inventory] [--session N])
device add x|device add: --profile NAME is missing (usage: lwm2m-prov device add ENDPOINT [--dry-run] --profile NAME [--identity TEXT] [--key-file FILE] [--key-stdin] [--generate-key] [--label NAME=VALUE]...)
device add x --profile p --key-stdin --generate-key|device add: --key-file, --key-stdin and --generate-key: one of them
device add x --profile p --label y|option --label: must be NAME=VALUE, is "y"
wait x|wait: --for provisioned|written|registered|blocked is missing (usage: lwm2m-prov wait [ENDPOINT...] [SELECTOR] --for provisioned|written|registered|blocked [--fail-fast])
wait x --for ever|option --for: must be one of provisioned, written, registered, blocked, is "ever"
session list --limit 0|option --limit: must be a number from 1 to 4294967295, is "0"
session show x|session show: a session's ID is a number; with an endpoint say --last for its newest session
why|why: give an ENDPOINT or --peer ADDRESS, one of the two
why x --peer 192.0.2.1|why: give an ENDPOINT or --peer ADDRESS, one of the two
plan|plan: give an ENDPOINT or -f FILE, one of the two
plan x -f one.json|plan: give an ENDPOINT or -f FILE, one of the two
apply -f one.json many.json --expect-revision 3|apply: --expect-revision is for one document, here are 2
END

expect 2 'usage: an error is JSON too' --json chek <<'END'
{
  "error": {
    "exit": 2,
    "name": "usage",
    "code": "usage",
    "detail": "unknown command \"chek\": did you mean \"check\"?",
    "retryable": false
  }
}
! lwm2m-prov: unknown command "chek": did you mean "check"?
END

# --- no daemon -----------------------------------------------------------------------------------

for line in status 'device list' 'device show x' 'profile rm x' 'session list' 'why x' 'wait x --for written' watch \
	'plan x' 'plan -f one.json' 'diff -f one.json'; do
	read -ra words <<<"$line"
	expect 5 "no daemon: $line" "${words[@]}" < <(
		[ "$line" != 'wait x --for written' ] || printf '! lwm2m-prov: x: '
		[ "$line" = 'wait x --for written' ] || printf '! lwm2m-prov: '
		echo '@W@/nobody.sock: No such file or directory; is bsserver running?'
	)
done
expect 5 'no daemon: the socket may be given' --socket ./elsewhere.sock status <<'END'
! lwm2m-prov: ./elsewhere.sock: No such file or directory; is bsserver running?
END
"$PROV" apply -f one.json --result one.result >out 2>err
rc=$?
why=
[ $rc -eq 5 ] || why="ended with $rc"
grep -q '"result":"pending"' one.result || why="$why
no pending row: $(cat one.result)"
[ "$(stat -c %a one.result)" = 600 ] || why="$why
the result file has mode $(stat -c %a one.result)"
grep -q 'is bsserver running' err || why="$why
$(cat err)"
report 'no daemon: apply keeps a pending row'
expect 3 'apply: a result file without an end' apply -f one.json --result /dev/zero <<'END'
! lwm2m-prov: --result: /dev/zero: is no regular file
END
mkfifo pipe.result
expect 3 'apply: a result file that is a pipe' apply -f one.json --result pipe.result <<'END'
! lwm2m-prov: --result: pipe.result: is no regular file
END
exec 9>>busy.result
flock 9
expect 10 'apply: a result file of another run' apply -f one.json --result busy.result <<'END'
! lwm2m-prov: --result: busy.result: another run writes to it
END
exec 9>&-
"$PROV" apply -f one.json --json --result closed.result >&- 2>err
why=
grep -qv '^{"result":"pending"' closed.result && why=$(cat closed.result)
report 'no standard output: nothing of it goes into a file'
expect 3 'apply: a result file that is none' apply -f one.json --result one.json <<'END'
! lwm2m-prov: one.json:1: is no row of results
END

# --- the rest ------------------------------------------------------------------------------------

version=$(sed -n 's/^AC_INIT(\[bsserver\], \[\(.*\)\], \[\], .*/\1/p' "$SRCDIR/configure.ac")
expect 0 'version' version <<END
lwm2m-prov: $version
bsserver: @W@/nobody.sock: No such file or directory; is bsserver running?
END
expect 0 '--version' --version <<END
lwm2m-prov $version
END
expect 0 'explain: a finding' explain syntax <<'END'
finding:  syntax
severity: error
meaning:  The file is not JSON, or larger or nested deeper than a document may be. The place is where reading stopped: what is wrong stands there or just before.
END
expect 0 'explain: a finding of an audit' explain after_failure <<'END'
finding: after_failure
meaning: The session before this one broke off in the middle, so what it left behind is not certain. What cannot be read back is written anew.
END
expect 0 'explain: a key by its place' explain servers.NAME.short_server_id <<'END'
key:       short_server_id
stands in: servers.NAME
resource:  /1/x/0
type:      integer, 1..65534
meaning:   the number that links an account's halves; 1 to 65534, one for each server
END
expect 8 'explain: the nearest name' explain shrt_server_id <<'END'
! lwm2m-prov: explain: nothing is called "shrt_server_id": did you mean "short_server_id"?
END
expect 0 'explain: a reason' explain restarted <<'END'
reason:  restarted
meaning: The server was stopped in the middle of the session. The device will come again.
END
expect 0 'completion: verbs of a noun' completion -- session '' <<'END'
list
show
cancel
END
expect 0 'completion: words of a choice' completion -- wait x --for p <<'END'
provisioned
END
expect 0 'completion: options of a command' completion -- fmt --c <<'END'
--check
END
why=$(bash -c '
	PATH='"$(dirname "$PROV")"':$PATH
	source <(lwm2m-prov completion) || echo "it cannot be sourced"
	COMP_WORDS=(lwm2m-prov device a) COMP_CWORD=2
	_lwm2m_prov
	[ "${COMPREPLY[*]}" = add ] || echo "offered: ${COMPREPLY[*]}"' 2>&1)
report 'completion: the script works in bash'
why=
"$PROV" explain 2>/dev/null | head -n 1 >out
"$PROV" --help >/dev/full 2>err && why='no error'
grep -q 'standard output: No space left on device' err || why="$why $(cat err)"
report 'output that cannot be written is an error'
why=
"$PROV" --help >&- 2>err && why='no error'
grep -q 'standard output: Bad file descriptor' err || why="$why $(cat err)"
report 'output that goes nowhere is an error'
if command -v mandoc >/dev/null; then
	why=$(mandoc -Tlint "$SRCDIR"/docs/man/* | grep -v 'referenced manual not found')
	report 'the manuals are well-formed'
else
	passed_over 'the manuals are well-formed' 'mandoc is not installed'
fi

finish
