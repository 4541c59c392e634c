/*
name = "license-servers"
title = "License servers"
summary = "Every license server; one with several vendor daemons has a row for each."
path = "/license-server/{format}"
range = "none"
order = ["lsn", "vn", "lsid"]

[[column]]
name = "lsid"
title = "License Server ID"
type = "integer"
visibility = "hidden"
summary = "the number of the license server"

[[column]]
name = "lsn"
title = "License Server"
type = "text"
summary = "the name"

[[column]]
name = "lsh"
title = "Hostname"
type = "text"
summary = "the host, where it is known"

[[column]]
name = "lsp"
title = "Port"
type = "integer"
summary = "the port, where it is known"

[[column]]
name = "lsd"
title = "Description"
type = "text"
summary = "the description, where there is one"

[[column]]
name = "lsmn"
title = "License Manager"
type = "text"
summary = "the license manager, like FlexNet"

[[column]]
name = "vn"
title = "Vendor"
type = "text"
summary = "the vendor daemon"

[[column]]
name = "lss"
title = "Status"
type = "enumeration"
values = ["ONLINE", "OFFLINE", "VERIFYING", "DISABLED"]
summary = "OFFLINE when the last thing known is that it went down, else ONLINE"

[[column]]
name = "gtn"
title = "Gathering"
type = "enumeration"
values = ["Realtime", "Imported"]
summary = "Realtime or Imported"

[[column]]
name = "lshal"
title = "Redundant"
type = "boolean"
visibility = "json"
summary = "whether it is one of a redundant set"

[[column]]
name = "lshf"
title = "Has Features"
type = "boolean"
visibility = "json"
summary = "whether it serves any feature"
*/
SELECT
    server_id AS lsid,
    name AS lsn,
    host AS lsh,
    port AS lsp,
    description AS lsd,
    manager AS lsmn,
    vendor AS vn,
    status AS lss,
    gathering AS gtn,
    redundant AS lshal,
    has_features AS lshf
FROM servers
