#include "lib/lwm2m/finding.h"

#include <string.h>

#include "lib/base/util.h"

/* clang-format off */
static const struct {
	const char *name, *help;
} kinds[] = {
	[BS_FIND_NOT_KNOWN] = { "not_known",
		"The device does not serve Bootstrap-Discover, or Bootstrap-Read of an Object, so part of what "
		"it holds cannot be known. It is provisioned all the same: what cannot be read is written." },
	[BS_FIND_HALF_ACCOUNT] = { "half_account",
		"A Security instance without its Server instance, or the reverse: no account at all. One of "
		"ours is completed, a foreign one is removed if foreign_accounts says so." },
	[BS_FIND_SSID_TWICE] = { "ssid_twice",
		"One Short Server ID stands in two Server instances, or in two Security instances that a "
		"client cannot keep apart. One stays, the other is removed if the account is ours." },
	[BS_FIND_FOREIGN_ACCOUNT] = { "foreign_account",
		"An account that the profile does not know. foreign_accounts says whether it stays: keep, "
		"remove, or remove_invalid." },
	[BS_FIND_DEAD_FOREIGN_ACCOUNT] = { "dead_foreign_account",
		"An account that the profile does not know, that does not work, and that lets the device "
		"bootstrap again whenever it fails (Bootstrap on Registration Failure): it sends the device "
		"back for ever. Set foreign_accounts to remove_invalid." },
	[BS_FIND_TLS_ALERT] = { "tls_alert",
		"The device kept a TLS or DTLS alert of this server (TLS-DTLS Alert Code). An account of ours "
		"is written anew, though what can be read of it looks right." },
	[BS_FIND_ELSEWHERE] = { "bootstrapped_elsewhere",
		"Last Bootstrapped is not the time of our own session: somebody else has written since. What "
		"cannot be read back is written anew." },
	[BS_FIND_CERTIFICATE_EXPIRED] = { "certificate_expired",
		"A certificate that this server wrote has expired since. The account is written anew; give "
		"the profile one that is valid." },
	[BS_FIND_DRIFT] = { "drift",
		"A value that this server wrote reads differently now: a server or the device changed it. "
		"What the profile sets is written again." },
	[BS_FIND_ACL_OWNER] = { "acl_owner_unknown",
		"An Access Control instance is owned by a Short Server ID that the device has no account "
		"for: nobody can change it but a bootstrap." },
	[BS_FIND_ACL_TARGET] = { "acl_target_missing",
		"An Access Control instance is about an Object Instance that the device does not have. It "
		"does nothing until somebody creates that instance, and then it is a surprise." },
	[BS_FIND_ACL_TWICE] = { "acl_twice",
		"Two Access Control instances are about the same Object Instance: which one a client "
		"obeys is its own affair. One stays." },
	[BS_FIND_NO_ACL] = { "instance_without_acl",
		"The device has several servers, and this Object Instance has no Access Control instance: "
		"clients let nobody touch it, or everybody. The plan adds one where the profile tells the rights." },
	[BS_FIND_CREATE_MISSING] = { "create_right_missing",
		"The profile lets a server create instances of this Object, and the device does not. The "
		"plan writes the right." },
	[BS_FIND_CREATE_LEFT_OVER] = { "create_right_left_over",
		"The device lets a server create instances of this Object, and no profile says so." },
	[BS_FIND_EARLY_RETURN] = { "early_return",
		"The device came back sooner than a device that is well does. What cannot be read back is "
		"written anew. early_return in the profile sets how soon that is." },
	[BS_FIND_AFTER_FAILURE] = { "after_failure",
		"The session before this one broke off in the middle, so what it left behind is not "
		"certain. What cannot be read back is written anew." },
	[BS_FIND_CREDENTIAL_REJECTED] = { "credential_rejected",
		"The device came back because a server rejected its credential, or the device the "
		"server's. That account is written anew; compare what the LwM2M Server was given." },
	[BS_FIND_SERVER_UNREACHABLE] = { "server_unreachable",
		"The device came back early and no alert is known: the likely reason is an address at "
		"which nobody answers. See the uri of the account." },
	[BS_FIND_ACCOUNT_LOST] = { "account_lost",
		"An account that this server wrote is not on the device any more. It is written again." },
};
/* clang-format on */
_Static_assert(N_ELEMS(kinds) == BS_FIND__COUNT, "one row per finding");

static const char *const remedies[] = {
	[BS_REMEDY_NONE] = "none",
	[BS_REMEDY_KEEP] = "keep",
	[BS_REMEDY_ADD] = "add",
	[BS_REMEDY_REWRITE] = "rewrite",
	[BS_REMEDY_REMOVE] = "remove",
};
_Static_assert(N_ELEMS(remedies) == BS_REMEDY__COUNT, "one name per remedy");

const char *
bs_finding_name(enum bs_finding_kind k)
{
	return (size_t)k < N_ELEMS(kinds) ? kinds[k].name : "unknown";
}

const char *
bs_finding_help(enum bs_finding_kind k)
{
	return (size_t)k < N_ELEMS(kinds) ? kinds[k].help : "unknown";
}

bool
bs_finding_from_name(const char *s, enum bs_finding_kind *out)
{
	for (size_t i = 0; i < N_ELEMS(kinds); i++)
		if (strcmp(s, kinds[i].name) == 0) {
			*out = (enum bs_finding_kind)i;
			return true;
		}
	return false;
}

const char *
bs_remedy_name(enum bs_remedy r)
{
	return (size_t)r < N_ELEMS(remedies) ? remedies[r] : "unknown";
}

bool
bs_remedy_from_name(const char *s, enum bs_remedy *out)
{
	for (size_t i = 0; i < N_ELEMS(remedies); i++)
		if (strcmp(s, remedies[i]) == 0) {
			*out = (enum bs_remedy)i;
			return true;
		}
	return false;
}
