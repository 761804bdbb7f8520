"""What the REST interfaces of ThingsBoard and Coiote answer, as far as credentials of devices go. For lwm2m_server.py.

Each function takes what is known (a dict by endpoint, changed in place), the method, the URL, the headers, the body and a
function that reads a file of the fake's folder, and returns (status, text). FOLDER/token is the key or token that is wanted,
FOLDER/password that of the user "op", who is then given a token of its own.
"""
import base64
import json
import re
import urllib.parse
import uuid

GRANT = "granted-to-op"
PROFILE = "0a1b2c3d-42b6-435a-983c-b7beff2784f9"


def message(status, text):
    return status, json.dumps({"status": status, "message": text, "errorCode": 31})


# --- ThingsBoard -------------------------------------------------------------------------------------------------------

def checked(text):
    """A credentialsValue as it is kept, or a ValueError with what ThingsBoard says; and the set's id."""
    value = json.loads(text)
    client = value["client"]
    for server in ("bootstrapServer", "lwm2mServer"):
        if "securityMode" not in value["bootstrap"][server]:
            raise ValueError("LwM2M bootstrap server credentials must be specified!")
    if not client["endpoint"]:
        raise ValueError("LwM2M client endpoint must be specified!")
    mode = client["securityConfigClientMode"]
    if mode == "PSK":
        if not re.fullmatch("[0-9a-fA-F]+", client["key"]) or len(client["key"]) % 32 != 0 or len(client["key"]) > 128:
            raise ValueError("LwM2M client PSK key length = %d" % len(client["key"]))
        return client["identity"]
    if mode == "RPK":
        base64.b64decode(client["key"], validate=True)
    elif mode == "X509":
        base64.b64decode(client.get("cert", ""), validate=True)
    else:
        raise ValueError("Invalid credentials body for LwM2M credentials!")
    return client["endpoint"]


def put_set(known, name, new):
    try:
        if new["credentialsType"] != "LWM2M_CREDENTIALS":
            raise ValueError("another type")
        identity = checked(new["credentialsValue"])
    except (ValueError, KeyError, TypeError) as e:
        return message(400, "Invalid credentials body: %s" % e)
    if any(other != name and d["set"]["credentialsId"] == identity for other, d in known.items()):
        return message(400, "Specified credentials are already registered!")
    new["credentialsId"] = identity
    new["version"] = new.get("version", 0) + 1
    known[name]["set"] = new
    return 200, json.dumps(new)


def device(known, name):
    return json.dumps({"id": {"entityType": "DEVICE", "id": known[name]["id"]}, "name": name,
                       "deviceProfileId": {"entityType": "DEVICE_PROFILE", "id": known[name].get("profile")}})


def create(known, body):
    v = json.loads(body)
    name, profile = v["device"]["name"], v["device"]["deviceProfileId"]
    if name in known:
        return message(400, "Device with such name already exists!")
    if profile != {"entityType": "DEVICE_PROFILE", "id": PROFILE}:
        return message(400, "Device is referencing to non-existent device profile!")
    known[name] = {"id": str(uuid.uuid4()), "profile": PROFILE, "set": {"credentialsId": None}}
    status, text = put_set(known, name, dict(v["credentials"], id={"id": str(uuid.uuid4())},
                                             deviceId={"entityType": "DEVICE", "id": known[name]["id"]}))
    if status != 200:
        del known[name]
        return status, text
    return 200, device(known, name)


def update(known, body):
    v = json.loads(body)
    for name, d in known.items():
        if d["id"] == v["deviceId"]["id"]:
            if d["set"].get("version") != v.get("version") or d["set"]["id"] != v["id"]:
                return message(409, "Entity was changed meanwhile")
            return put_set(known, name, v)
    return message(404, "Requested item wasn't found!")


def thingsboard(known, method, url, headers, body, read):
    if (method, url) == ("POST", "/api/auth/login"):
        if json.loads(body) != {"username": "op", "password": read("password")}:
            return message(401, "Invalid username or password")
        return 200, json.dumps({"token": GRANT, "refreshToken": "another"})
    given = headers.get("X-Authorization")
    if given not in ("ApiKey " + read("token", "none"), "Bearer " + GRANT if read("password") else None):
        return message(401, "Authentication failed")
    path = urllib.parse.urlsplit(url)
    name = urllib.parse.parse_qs(path.query).get("deviceName", [None])[0]
    if (method, path.path) == ("GET", "/api/tenant/devices") and name is not None:
        return (200, device(known, name)) if name in known else message(404, "Requested item wasn't found!")
    if (method, url) == ("GET", "/api/auth/user"):
        return 200, json.dumps({"name": "op", "authority": read("authority", "TENANT_ADMIN")})
    if (method, url) == ("GET", "/api/deviceProfile/" + PROFILE):
        return 200, json.dumps({"name": "meters", "transportType": "LWM2M"})
    if (method, url) == ("POST", "/api/device-with-credentials"):
        return create(known, body)
    if (method, url) == ("POST", "/api/device/credentials"):
        return update(known, body)
    for d in known.values():
        if (method, url) == ("GET", "/api/device/%s/credentials" % d["id"]):
            return 200, json.dumps(d["set"])
    return message(404, "Requested item wasn't found!")


# --- Coiote ------------------------------------------------------------------------------------------------------------

def error(status, text):
    return status, json.dumps({"error": text})


def secured(known, endpoint, v):
    """What it would keep, or None: its identity is another's."""
    identity = v.get("dtlsIdentity")
    if any(e != endpoint and identity is not None and d.get("dtlsIdentity") == identity for e, d in known.items()):
        return None
    if v["securityMode"] == "psk":
        bytes.fromhex(v["dtlsPsk"]["HexadecimalPsk"])
    return {k: v[k] for k in ("securityMode", "dtlsIdentity", "dtlsPsk") if k in v}


def change(known, endpoint, v, status):
    security = secured(known, endpoint, v) if v.get("securityMode") in ("psk", "cert", "notset") else None
    if security is None:
        return error(400, "securityMode, or dtlsIdentity that is used already")
    known.setdefault(endpoint, {"id": "id/" + endpoint})
    for k in ("securityMode", "dtlsIdentity", "dtlsPsk"):
        known[endpoint].pop(k, None)
    known[endpoint].update(security)
    return status, json.dumps({"id": known[endpoint]["id"], "result": "ok"})


def found(known, query):
    criteria = query.get("searchCriteria", [None])[0]
    match = criteria and re.fullmatch("properties.endpointName eq '([^']*)'", criteria)
    if criteria and not match:
        return error(400, "searchCriteria")
    devices = [{"id": d["id"], "connectorType": "management", "properties": {"endpointName": e}}
               for e, d in known.items() if not match or e == match.group(1)]
    return 200, json.dumps({"devices": devices[:int(query["limit"][0])]})


def coiote(known, method, url, headers, body, read):
    if (method, url) == ("POST", "/api/auth/oauth_password"):
        want = {"grant_type": ["password"], "username": ["op"], "password": [read("password")]}
        if urllib.parse.parse_qs(body.decode()) != want:
            return error(401, "unauthorized")
        return 201, json.dumps({"access_token": GRANT, "expires_in": 300})
    if headers.get("Authorization") not in ("Bearer " + read("token", "none"), "Bearer " + GRANT if read("password") else None):
        return error(401, "unauthorized")
    path = urllib.parse.urlsplit(url)
    top = "/api/coiotedm/v3/devices"
    if (method, path.path) == ("GET", top + "/find/details"):
        return found(known, urllib.parse.parse_qs(path.query))
    if (method, url) == ("POST", top):
        v = json.loads(body)
        if v["domain"] != "/co/eu/" or v["connectorType"] != "management" or v["properties"]["endpointName"] in known:
            return error(409, "it exists already")
        return change(known, v["properties"]["endpointName"], v, 201)
    for endpoint, d in known.items():
        if (method, url) == ("PUT", top + "/" + urllib.parse.quote(d["id"], safe="")):
            return change(known, endpoint, json.loads(body), 200)
    return error(404, "not found")


KINDS = {"thingsboard": thingsboard, "coiote": coiote}
