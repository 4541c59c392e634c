/*
name = "denials"
title = "Denials"
summary = "Every refused checkout of a feature: when, how many licenses, who, on which host."
path = "/report/feature/{feature}/denials/{format}"
aliases = ["/report/denials/{feature}/{format}"]
range = "days"
order = ["ldt", "un", "hn", "ldtc"]

[chart]
kind = "points"
x = "ldt"
y = ["ldt"]
weight = "ldtc"

[[param]]
name = "true"
type = "boolean"
summary = "only true denials, where the user went without (1), or only others (0)"

[[param]]
name = "reason"
type = "enumeration"
values = ["capacity", "queued", "not_entitled", "excluded", "other"]
summary = "only denials of this class"

[[column]]
name = "ldt"
title = "Date"
type = "datetime"
summary = "when the denial took place"

[[column]]
name = "ldtc"
title = "Denials"
type = "integer"
summary = "number of denied licenses"

[[column]]
name = "un"
title = "User"
type = "text"
summary = "denied user"

[[column]]
name = "hn"
title = "Host"
type = "text"
summary = "host of the refused checkout"

[[column]]
name = "drc"
title = "Reason"
type = "enumeration"
visibility = "named"
values = ["capacity", "queued", "not_entitled", "excluded", "other"]
summary = "class of the reason for the refusal"

[[column]]
name = "dmsg"
title = "Message"
type = "text"
visibility = "named"
summary = "the words and the number of the license manager for the refusal; words are left out where names are hidden"

[[column]]
name = "dtrue"
title = "True Denial"
type = "boolean"
visibility = "named"
summary = "whether the user went without: all licenses were in use, and the user got none within 5 s"
*/
SELECT
    feature_id AS fid,
    at AS ldt,
    licenses AS ldtc,
    user_name AS un,
    host AS hn,
    reason_class AS drc,
    CASE
        WHEN reason_code IS NULL THEN CAST(reason AS TEXT)
        WHEN reason IS NULL OR reason = '' THEN CAST(reason_code AS TEXT)
        ELSE concat(CAST(reason AS TEXT), ' (', CAST(reason_code AS TEXT), ')')
    END AS dmsg,
    is_true AS dtrue
FROM denials
WHERE feature_id IN ($feature)
    AND at >= $from AND at < $until
    AND ($true IS NULL OR is_true = $true)
    AND ($reason IS NULL OR reason_class = $reason)
