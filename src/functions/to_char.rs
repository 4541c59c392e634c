//! `to_char(at, pattern)`: a time as text, by a pattern of PostgreSQL or of strftime.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array as _, ArrayRef, AsArray as _, StringArray, StringBuilder, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDateTime};
use datafusion::common::{ScalarValue, exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::documentation::Manual;
use super::pattern::{Moment, Pattern};
use crate::time::{Micros, SECOND, Zone};

/// `to_char(at, pattern)`, also called `date_format`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ToChar {
    signature: Signature,
    aliases: Vec<String>,
    /// The engine's own function, for patterns of strftime and for durations.
    strftime: Arc<ScalarUDF>,
}

impl Default for ToChar {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
            aliases: vec!["date_format".to_owned()],
            strftime: datafusion::functions::datetime::to_char(),
        }
    }
}

impl ScalarUDFImpl for ToChar {
    fn name(&self) -> &'static str {
        "to_char"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [at, pattern] = types else {
            return plan_err!("to_char takes a time and a pattern, got {} arguments", types.len());
        };
        if !matches!(pattern, DataType::Null) && !is_text(pattern) {
            return plan_err!("to_char expects a pattern like 'YYYY-MM-DD' after the time, got {pattern}");
        }
        let at = match at {
            DataType::Date32
            | DataType::Date64
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Timestamp(..)
            | DataType::Duration(_) => at.clone(),
            DataType::Null => DataType::Timestamp(TimeUnit::Microsecond, None),
            text if is_text(text) => DataType::Timestamp(TimeUnit::Microsecond, None),
            other => {
                return plan_err!(
                    "to_char prints dates, times and timestamps, got {other}; numbers and intervals become texts by CAST(… AS TEXT)"
                );
            }
        };
        Ok(vec![at, DataType::Utf8])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let is_duration = matches!(
            arguments.arg_fields.first().map(|field| field.data_type()),
            Some(DataType::Duration(_))
        );
        let constant = arguments.scalar_arguments.get(1).copied().flatten();
        let constant = constant.and_then(|pattern| pattern.try_as_str().flatten());
        // A pattern that nobody understands is refused, whether or not there are rows.
        if let Some(pattern) = constant.filter(|pattern| !is_duration && !Pattern::is_strftime(pattern))
            && let Err(error) = Pattern::parse(pattern)
        {
            return plan_err!("to_char: {error}");
        }
        Ok(Arc::new(Field::new(self.name(), DataType::Utf8, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_duration = matches!(args.args[0].data_type(), DataType::Duration(_));
        match &args.args[1] {
            _ if is_duration => self.strftime.invoke_with_args(args),
            ColumnarValue::Scalar(pattern) => match pattern.try_as_str().flatten() {
                None => Ok(ColumnarValue::Scalar(ScalarValue::Utf8(None))),
                Some(pattern) if Pattern::is_strftime(pattern) => self.strftime.invoke_with_args(args),
                Some(pattern) => {
                    let pattern = parse(pattern)?;
                    let constant = matches!(args.args[0], ColumnarValue::Scalar(_));
                    let times = args.args[0].to_array(if constant { 1 } else { args.number_rows })?;
                    let texts = print(&times, |_| Ok(Some(Arc::clone(&pattern))))?;
                    Ok(if constant {
                        ColumnarValue::Scalar(ScalarValue::try_from_array(&texts, 0)?)
                    } else {
                        ColumnarValue::Array(Arc::new(texts))
                    })
                }
            },
            ColumnarValue::Array(patterns) => {
                let patterns = cast(patterns, &DataType::Utf8)?;
                let times = args.args[0].to_array(args.number_rows)?;
                Ok(ColumnarValue::Array(self.by_row(&times, patterns.as_string(), &args)?))
            }
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Manual {
                syntax: "to_char(at, pattern)",
                description: concat!(
                    "A time as text, by a pattern of PostgreSQL: `YYYY` `YY` `Q` `MM` `Mon` `Month` `DD` `DDD` `D` `ID` `IYYY` `IW` `WW` `HH24` ",
                    "`HH12` `MI` `SS` `MS` `US` `AM` `TZ` `TZH` `TZM` `OF` `Day` `Dy`, `FM` before one (no padding), `TH` behind a number, text in ",
                    "double quotes. A pattern with a `%` is one of strftime, like `%Y-%m`. Other letters are refused. An instant is printed on the ",
                    "clock of its zone.",
                ),
                arguments: &[("at", "a date, a time or a timestamp"), ("pattern", "the pattern")],
                example: concat!(
                    "SELECT to_char(at AT TIME ZONE 'Europe/Berlin', 'FMDay, YYYY-MM-DD HH24:MI') AS told, to_char(at, '%H:%M') AS utc\n",
                    "FROM denials WHERE feature_id = 2 ORDER BY at;",
                ),
                answer: concat!(
                    " told                     | utc\n",
                    "--------------------------+-------\n",
                    " Monday, 2026-03-02 10:00 | 09:00\n",
                    " Monday, 2026-03-02 11:00 | 10:00\n",
                    "(2 rows)",
                ),
            }
            .documentation()
        });
        Some(&DOCUMENTATION)
    }
}

impl ToChar {
    /// Times printed by the patterns of their rows.
    fn by_row(&self, times: &ArrayRef, patterns: &StringArray, args: &ScalarFunctionArgs) -> Result<ArrayRef> {
        let of_strftime = patterns
            .iter()
            .map(|pattern| pattern.filter(|pattern| Pattern::is_strftime(pattern)));
        let of_strftime: StringArray = of_strftime.collect();
        let mut known: Option<Arc<Pattern>> = None;
        let texts = print(times, |row| {
            let own = patterns
                .is_valid(row)
                .then(|| patterns.value(row))
                .filter(|own| !Pattern::is_strftime(own));
            let Some(own) = own else { return Ok(None) };
            if known.as_ref().is_none_or(|known| known.text() != own) {
                known = Some(parse(own)?);
            }
            Ok(known.clone())
        })?;
        if of_strftime.null_count() == of_strftime.len() {
            return Ok(Arc::new(texts));
        }
        let others = ScalarFunctionArgs {
            args: vec![ColumnarValue::Array(Arc::clone(times)), ColumnarValue::Array(Arc::new(of_strftime))],
            arg_fields: args.arg_fields.clone(),
            number_rows: args.number_rows,
            return_field: Arc::new(Field::new("", DataType::Utf8, true)),
            config_options: Arc::clone(&args.config_options),
        };
        let others = self.strftime.invoke_with_args(others)?.to_array(args.number_rows)?;
        let others = others.as_string::<i32>();
        let merged: StringArray = texts.iter().zip(others).map(|(one, other)| one.or(other)).collect();
        Ok(Arc::new(merged))
    }
}

const fn is_text(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..)
    )
}

fn parse(pattern: &str) -> Result<Arc<Pattern>> {
    Pattern::parse(pattern).map(Arc::new).or_else(|error| exec_err!("to_char: {error}"))
}

/// Times as texts, each by the pattern of its row; none gives a null.
fn print(times: &ArrayRef, mut pattern: impl FnMut(usize) -> Result<Option<Arc<Pattern>>>) -> Result<StringArray> {
    let clock = Clock::new(times)?;
    let mut texts = StringBuilder::with_capacity(times.len(), times.len() * 20);
    let mut text = String::new();
    for row in 0..times.len() {
        match pattern(row)? {
            Some(pattern) if times.is_valid(row) => {
                clock.print(row, &pattern, &mut text)?;
                texts.append_value(&text);
            }
            _ => texts.append_null(),
        }
    }
    Ok(texts.finish())
}

/// Times, and the clock that they are read from.
struct Clock {
    times: TimestampMicrosecondArray,
    zone: Option<ZoneOfColumn>,
    is_time_of_day: bool,
}

/// The zone of a column: a place, or an offset that never changes.
enum ZoneOfColumn {
    Place(Zone),
    Fixed(Micros),
}

impl Clock {
    fn new(times: &ArrayRef) -> Result<Self> {
        let zone = match times.data_type() {
            DataType::Timestamp(_, Some(zone)) => Some(ZoneOfColumn::of(zone)?),
            _ => None,
        };
        let is_time_of_day = matches!(times.data_type(), DataType::Time32(_) | DataType::Time64(_));
        let micros = if is_time_of_day {
            cast(&cast(times, &DataType::Time64(TimeUnit::Microsecond))?, &DataType::Int64)?
        } else {
            Arc::clone(times)
        };
        let kind = match times.data_type() {
            DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
            _ => DataType::Timestamp(TimeUnit::Microsecond, None),
        };
        let micros = cast(&micros, &kind)?;
        Ok(Self {
            times: micros.as_primitive::<TimestampMicrosecondType>().clone(),
            zone,
            is_time_of_day,
        })
    }

    fn print(&self, row: usize, pattern: &Pattern, text: &mut String) -> Result<()> {
        text.clear();
        if self.is_time_of_day && pattern.has_date() {
            return exec_err!("to_char: a time of day has no date; the pattern is '{}'", pattern.text());
        }
        let at = self.times.value(row);
        let (ahead, name) = match &self.zone {
            None => (0, String::new()),
            Some(ZoneOfColumn::Fixed(ahead)) => (*ahead, String::new()),
            Some(ZoneOfColumn::Place(zone)) => (zone.offset(at), zone.abbreviation(at)),
        };
        let Some(local) = naive(at.saturating_add(ahead)) else {
            return exec_err!("to_char: a time is out of range");
        };
        let moment = Moment {
            local,
            ahead: i32::try_from(ahead / SECOND).unwrap_or_default(),
            zone: &name,
        };
        pattern.print(moment, text);
        Ok(())
    }
}

impl ZoneOfColumn {
    fn of(name: &str) -> Result<Self> {
        if let Ok(zone) = name.parse() {
            return Ok(Self::Place(zone));
        }
        // An offset like +02:00: what the wall clock shows at the beginning of 1970.
        let epoch = TimestampMicrosecondArray::from(vec![0]).with_timezone(name);
        let hours = arrow::compute::date_part(&epoch, arrow::compute::DatePart::Hour)?;
        let minutes = arrow::compute::date_part(&epoch, arrow::compute::DatePart::Minute)?;
        let part = |array: &ArrayRef| i64::from(array.as_primitive::<arrow::datatypes::Int32Type>().value(0));
        let ahead = (part(&hours) * 60 + part(&minutes)) * 60 * SECOND;
        let day = 24 * 3600 * SECOND;
        Ok(Self::Fixed(if name.starts_with('-') && ahead > 0 { ahead - day } else { ahead }))
    }
}

fn naive(micros: Micros) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(micros).map(|at| at.naive_utc())
}
