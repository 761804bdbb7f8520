#include "lib/lwm2m/reason.h"

#include <string.h>

#include "lib/base/util.h"

struct reason {
	const char *name, *help;
};

/* clang-format off */
static const struct reason reasons[] = {
	[BS_REASON_NONE] = { "none", "Nothing went wrong." },
	[BS_REASON_BAD_REQUEST] = { "bad_request",
		"The device's Bootstrap-Request could not be read: its query, endpoint name or preferred "
		"content format is malformed. The session's detail says which. Mend the device's firmware." },
	[BS_REASON_NO_ENDPOINT] = { "no_endpoint",
		"The request names no endpoint, and nothing in the device's credential says who it is. Let "
		"the device send ep=, or give it a credential that is bound to one endpoint." },
	[BS_REASON_UNKNOWN_ENDPOINT] = { "unknown_endpoint",
		"No device of this endpoint name is in the store. Add it (device add, enroll) or compare the "
		"name that the device really sends with the one in the store, letter by letter." },
	[BS_REASON_IDENTITY_MISMATCH] = { "identity_mismatch",
		"The credential that the device showed may not be used for the endpoint name it claims. "
		"Either two devices were given each other's credentials, or somebody pretends." },
	[BS_REASON_NO_CREDENTIAL_RULE] = { "no_credential_rule",
		"The device came without credentials (coap:, not coaps:), and no rule lets such a device in. "
		"Use DTLS, or write a rule for a closed network." },
	[BS_REASON_BLOCKED] = { "blocked",
		"The device is blocked or retired. Unblock it if that was not meant." },
	[BS_REASON_NO_PROFILE] = { "no_profile",
		"The device is known, but no profile says what it should hold. Give it one." },
	[BS_REASON_BAD_PROFILE] = { "bad_profile",
		"The device's profile does not resolve: a profile it extends is missing, a variable is "
		"undefined, or it asks for what is not served. Run check on its files." },
	[BS_REASON_UNSUPPORTED_FORMAT] = { "unsupported_format",
		"The device prefers a content format (pct) that is not served; it was answered 4.15. It may "
		"ask again without it." },
	[BS_REASON_OVERLOAD] = { "overload",
		"Too many sessions at once; the device was answered 5.03 and told when to come again." },
	[BS_REASON_STORE] = { "store",
		"The store did not answer, so nothing could be decided; the device was answered 5.03. Look at "
		"the server's log for the store's own error, and at the room on its disk." },
	[BS_REASON_CERTIFICATE] = { "certificate",
		"The device's certificate was refused: its chain, its validity or its revocation. The "
		"session's detail says which." },
	[BS_REASON_UNKNOWN_IDENTITY] = { "unknown_identity",
		"A DTLS handshake came with a PSK identity or a raw public key that no device is registered "
		"with. Compare it with the one in the device's profile: an identity letter by letter, a key by "
		"its digest (pki rpk shows it)." },
	[BS_REASON_WRONG_KEY] = { "wrong_key",
		"A DTLS handshake came with a known PSK identity, but with another key than is kept for it. "
		"The device was given an old or a foreign key, or somebody guesses." },
	[BS_REASON_HANDSHAKE] = { "handshake",
		"A DTLS handshake came to nothing before the device had proved who it is: no common cipher "
		"suite or version, or the device gave up. The detail says which." },
	[BS_REASON_ERROR_RESPONSE] = { "error_response",
		"The device answered a required request with an error. The session shows the path and the "
		"code: often a resource or an object that the device does not have." },
	[BS_REASON_NO_ANSWER] = { "no_answer",
		"The device did not answer a request in time, retransmissions included. It slept, or the "
		"network lost it. It will come again by itself." },
	[BS_REASON_RESET] = { "reset",
		"The device answered a request with a Reset: it has lost the context of the session, or does "
		"not take requests at this point." },
	[BS_REASON_BAD_RESPONSE] = { "bad_response",
		"The device's answer was not what was asked for, or could not be read. The transcript shows "
		"it. Mend the device's firmware, or choose another content format in the profile." },
	[BS_REASON_DEADLINE] = { "deadline",
		"The whole session took longer than it may. Raise the deadline for slow links." },
	[BS_REASON_PEER_GONE] = { "peer_gone",
		"The DTLS session went away in the middle: the device closed it or was restarted." },
	[BS_REASON_DIFFERENT] = { "different",
		"A value that was read back is not the one that was written, although the device said that it "
		"took it. Finish was not sent." },
	[BS_REASON_NOT_CONFIRMED] = { "not_confirmed",
		"The profile demands that this value be confirmed, and the device does not show it. Take it "
		"out of required_confirmed for devices that cannot." },
	[BS_REASON_MISSING] = { "missing",
		"An instance that was written is not in the list that the device gave afterwards." },
	[BS_REASON_LEFT_OVER] = { "left_over",
		"An instance that was deleted is still in the list that the device gave afterwards." },
	[BS_REASON_INCONSISTENT] = { "inconsistent",
		"The device answered Finish with 4.06: it finds what it now holds inconsistent, also after "
		"one correction. Compare the profile with what this client demands of its accounts." },
	[BS_REASON_CANNOT_ENCODE] = { "cannot_encode",
		"No content format that the device takes can carry what is to be written." },
	[BS_REASON_CONFLICT] = { "conflict",
		"What the device holds and what the profile wants do not go together, and the profile must "
		"decide. plan shows the two sides." },
	[BS_REASON_KEEP] = { "keep",
		"A secret that was made for this device could not be kept in the store, so it was not given "
		"to the device either." },
	[BS_REASON_HANDOFF] = { "handoff",
		"An LwM2M Server did not accept the device's new credentials, so the device keeps its old "
		"configuration. See handoff list, mend the server, and let the device come again." },
	[BS_REASON_SEND] = { "send",
		"A request could not be sent at all. The server's log has the transport's error." },
	[BS_REASON_NO_MEMORY] = { "no_memory", "The server was short of memory." },
	[BS_REASON_RESTARTED] = { "restarted",
		"The server was stopped in the middle of the session. The device will come again." },
	[BS_REASON_SUPERSEDED] = { "superseded",
		"A newer request of the same device was granted while this session was running." },
	[BS_REASON_OPERATOR] = { "operator", "An operator cancelled the session." },
	[BS_REASON_CLOCK] = { "clock",
		"The profile wants the device to be given the time (set_time), and the server's own clock is not "
		"known to be right. Synchronize it (NTP), or say bootstrap.trust_clock in the configuration." },
	[BS_REASON_HANDOUT] = { "handout",
		"A certificate or public key that the device was to be given is not good: expired, not for that "
		"server, not what its Certificate Usage asks for, its chain is broken, it is revoked, or nobody could "
		"say whether it is. Nothing was written. The session's detail says which; mend the profile, or the "
		"trust (for = \"servers\") that says how the status of such certificates is found out." },
	[BS_REASON_REVOKED] = { "revoked",
		"The device's certificate, or that of a CA between it and its trust anchor, has been revoked. The "
		"session's detail says when, why, and who said so. Nothing was read or written." },
	[BS_REASON_STATUS_UNKNOWN] = { "status_unknown",
		"The OCSP responder does not know the device's certificate: it may never have been issued. Ask the CA." },
	[BS_REASON_NO_STATUS] = { "no_status",
		"Nobody could say whether the device's certificate is revoked, and its trust has revocation = \"hard\": "
		"the responder is down, its answer does not count, or the certificate names none. The session's detail "
		"says which. no_source, responder_url, crl_files or revocation = \"soft\" of that trust change it." },
	[BS_REASON_HELD_BACK] = { "held_back",
		"The device was bootstrapped four times within an hour and never registered at our registry between: "
		"what it is given does not work for it. It was answered 5.03 and told when to come again, each time "
		"later. Look at its sessions, and at whether it can reach registry.uri; when it registers all is forgotten." },
};
/* clang-format on */
_Static_assert(N_ELEMS(reasons) == BS_REASON__COUNT, "one row per reason");

const char *
bs_reason_name(enum bs_reason r)
{
	return (size_t)r < N_ELEMS(reasons) ? reasons[r].name : "unknown";
}

const char *
bs_reason_help(enum bs_reason r)
{
	return (size_t)r < N_ELEMS(reasons) ? reasons[r].help : "unknown";
}

bool
bs_reason_from_name(const char *s, enum bs_reason *out)
{
	for (size_t i = 0; i < N_ELEMS(reasons); i++) {
		if (strcmp(s, reasons[i].name) == 0) {
			*out = (enum bs_reason)i;
			return true;
		}
	}
	return false;
}
