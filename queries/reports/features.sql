/*
name = "features"
title = "Features"
summary = "Every feature, with the number that other reports know it by."
path = "/feature/{format}"
aliases = ["/report/feature/{format}"]
range = "none"
order = ["fns", "lsn", "fv", "fid"]

[[param]]
name = "fns"
type = "text"
summary = "only features whose name contains this"

[[param]]
name = "fv"
type = "text"
summary = "only features whose version contains this"

[[param]]
name = "ftype"
type = "enumeration"
values = ["Floating", "Node-locked", "Token"]
summary = "only features of this type"

[[param]]
name = "lsn"
type = "text"
summary = "only features of license servers whose name contains this"

[[param]]
name = "vn"
type = "text"
summary = "only features of vendors whose name contains this"

[[param]]
name = "gtn"
type = "enumeration"
values = ["Realtime", "Imported"]
summary = "only features whose usage is gathered so"

[[column]]
name = "fid"
title = "Feature ID"
type = "integer"
visibility = "hidden"
summary = "the number in the path of other reports"

[[column]]
name = "fns"
title = "Feature Name"
type = "text"
summary = "the name"

[[column]]
name = "ftype"
title = "Feature Type"
type = "enumeration"
values = ["Floating", "Node-locked", "Token"]
summary = "Floating, Node-locked or Token"

[[column]]
name = "fv"
title = "Feature Version"
type = "text"
summary = "the version, where the source knows one"

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
summary = "the name of the license server"

[[column]]
name = "vn"
title = "Vendor"
type = "text"
summary = "the vendor, or its daemon"

[[column]]
name = "gtn"
title = "Gathering"
type = "enumeration"
values = ["Realtime", "Imported"]
summary = "Realtime or Imported"
*/
SELECT
    features.feature_id AS fid,
    features.name AS fns,
    features.type AS ftype,
    features.version AS fv,
    servers.server_id AS lsid,
    servers.name AS lsn,
    features.vendor AS vn,
    servers.gathering AS gtn
FROM features
JOIN servers ON servers.server_id = features.server_id
WHERE ($fns IS NULL OR contains(lower(features.name), lower($fns)))
    AND ($fv IS NULL OR contains(lower(features.version), lower($fv)))
    AND ($ftype IS NULL OR features.type = $ftype)
    AND ($lsn IS NULL OR contains(lower(servers.name), lower($lsn)))
    AND ($vn IS NULL OR contains(lower(features.vendor), lower($vn)))
    AND ($gtn IS NULL OR servers.gathering = $gtn)
