//! The engine's functions that read times by a pattern, with patterns of PostgreSQL besides those of strftime.
//!
//! `to_timestamp('1 Jul 2024', 'DD Mon YYYY')`: the text is read by the pattern, and the engine's function is given it as the ISO
//! text that it reads by itself. The invariant: a pattern without a percent sign is understood as PostgreSQL does, or refused.

use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{ScalarValue, exec_err, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};

use super::pattern::Pattern;

/// What a function makes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Makes {
    Day,
    TimeOfDay,
    Instant,
}

/// The functions that read times by a pattern.
const READERS: [(&str, Makes); 8] = [
    ("to_date", Makes::Day),
    ("to_time", Makes::TimeOfDay),
    ("to_timestamp", Makes::Instant),
    ("to_timestamp_seconds", Makes::Instant),
    ("to_timestamp_millis", Makes::Instant),
    ("to_timestamp_micros", Makes::Instant),
    ("to_timestamp_nanos", Makes::Instant),
    ("to_unixtime", Makes::Instant),
];

/// The function, with patterns of PostgreSQL where it takes patterns.
pub(crate) fn with_patterns(function: &Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    match READERS.iter().find(|(name, _)| *name == function.name()) {
        Some((_, makes)) => Arc::new(ScalarUDF::new_from_impl(WithPatterns {
            function: Arc::clone(function),
            makes: *makes,
        })),
        None => Arc::clone(function),
    }
}

/// A function that reads times.
#[derive(Debug, PartialEq, Eq, Hash)]
struct WithPatterns {
    function: Arc<ScalarUDF>,
    makes: Makes,
}

impl ScalarUDFImpl for WithPatterns {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.function.return_type(arguments)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let constant = arguments.scalar_arguments.get(1).copied().flatten();
        let constant = constant.and_then(|pattern| pattern.try_as_str().flatten());
        if let Some(pattern) = constant.filter(|pattern| !Pattern::is_strftime(pattern))
            && let Err(error) = Pattern::parse(pattern)
        {
            return plan_err!("{}: {error}", self.name());
        }
        self.function.return_field_from_args(arguments)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(arguments)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let function = self.function.inner().with_updated_config(config)?;
        Some(ScalarUDF::new_from_impl(Self {
            function: Arc::new(function),
            makes: self.makes,
        }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [texts, pattern] = &args.args[..] else {
            return self.function.invoke_with_args(args);
        };
        let rows = match (texts, pattern) {
            (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)) => 1,
            _ => args.number_rows,
        };
        let patterns = match pattern {
            ColumnarValue::Scalar(one) if one.is_null() => {
                return Ok(ColumnarValue::Scalar(ScalarValue::try_from(args.return_field.data_type())?));
            }
            ColumnarValue::Scalar(one) if one.try_as_str().flatten().is_none_or(Pattern::is_strftime) => {
                return self.function.invoke_with_args(args);
            }
            pattern => cast(&pattern.to_array(rows)?, &DataType::Utf8)?,
        };
        let patterns = patterns.as_string::<i32>();
        if patterns.iter().flatten().any(Pattern::is_strftime) {
            return self.function.invoke_with_args(args);
        }
        let given = cast(&texts.to_array(rows)?, &DataType::Utf8)?;
        let read = self.read(given.as_string(), patterns)?;
        let constant = rows == 1 && matches!((texts, pattern), (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)));
        let read = if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&read, 0)?)
        } else {
            ColumnarValue::Array(Arc::new(read))
        };
        self.function.invoke_with_args(ScalarFunctionArgs {
            args: vec![read],
            arg_fields: vec![Arc::new(Field::new("", DataType::Utf8, true))],
            number_rows: args.number_rows,
            return_field: args.return_field,
            config_options: args.config_options,
        })
    }
}

impl WithPatterns {
    /// The texts as ISO writes what they say.
    fn read(&self, texts: &StringArray, patterns: &StringArray) -> Result<StringArray> {
        let mut known: Option<Pattern> = None;
        let mut read = Vec::with_capacity(texts.len());
        for (text, own) in texts.iter().zip(patterns) {
            let Some(own) = own else {
                read.push(None);
                continue;
            };
            let pattern = match known.take().filter(|known| known.text() == own) {
                Some(known) => known,
                None => Pattern::parse(own).or_else(|error| exec_err!("{}: {error}", self.function.name()))?,
            };
            read.push(match text {
                Some(text) => Some(self.iso(text, &pattern)?),
                None => None,
            });
            known = Some(pattern);
        }
        Ok(StringArray::from(read))
    }

    fn iso(&self, text: &str, pattern: &Pattern) -> Result<String> {
        let Some(reading) = pattern.read(text) else {
            let name = self.function.name();
            return exec_err!("{name}: the text does not fit the pattern '{}'", pattern.text());
        };
        Ok(match self.makes {
            Makes::Day => reading.local.format("%Y-%m-%d").to_string(),
            Makes::TimeOfDay => reading.local.format("%H:%M:%S%.6f").to_string(),
            Makes::Instant => {
                let local = reading.local.format("%Y-%m-%dT%H:%M:%S%.6f");
                match reading.ahead {
                    Some(ahead) => {
                        let sign = if ahead < 0 { '-' } else { '+' };
                        let minutes = ahead.abs() / 60;
                        format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
                    }
                    None => local.to_string(),
                }
            }
        })
    }
}
