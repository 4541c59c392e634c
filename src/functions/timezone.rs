//! `timezone(zone, at)`: what `at AT TIME ZONE zone` means.
//!
//! An instant becomes the time on the wall clock of the zone, which has no zone itself; a wall-clock time becomes the instant at
//! which the clock of the zone shows it. The invariant: the same as in PostgreSQL, with this project's rules for times that a clock
//! skips or repeats.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray as _, StringArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::arguments::{instants, local_type, zone};
use super::documentation::Manual;
use crate::time::{Micros, Occurrence, Offsets, Zone};

/// `timezone(zone, at)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Timezone {
    signature: Signature,
    /// The zone of instants that come of wall-clock times.
    session: Arc<str>,
}

impl Default for Timezone {
    fn default() -> Self {
        Self::of_session("UTC")
    }
}

impl Timezone {
    fn of_session(zone: &str) -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
            session: zone.into(),
        }
    }

    fn instant(&self) -> DataType {
        DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(&self.session)))
    }

    /// The wall clock of a zone at an instant, as an expression.
    pub(crate) fn wall_clock_of(name: &str, at: Expr) -> Expr {
        ScalarUDF::new_from_impl(Self::default()).call(vec![datafusion::logical_expr::lit(name), at])
    }
}

impl ScalarUDFImpl for Timezone {
    fn name(&self) -> &'static str {
        "timezone"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [zone, at] = types else {
            return plan_err!(
                "AT TIME ZONE takes a time and a zone; timezone(zone, at) was given {} arguments",
                types.len()
            );
        };
        if !matches!(zone, DataType::Null) && !is_text(zone) {
            return plan_err!("AT TIME ZONE expects the name of a zone, like 'Europe/Berlin', got {zone}");
        }
        let at = match at {
            DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
            // As in PostgreSQL, days and texts are instants.
            DataType::Date32 | DataType::Date64 | DataType::Null => self.instant(),
            text if is_text(text) => self.instant(),
            other => return plan_err!("AT TIME ZONE expects a timestamp, got {other}"),
        };
        Ok(vec![DataType::Utf8, at])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [_, DataType::Timestamp(_, Some(_))] => Ok(local_type()),
            _ => Ok(self.instant()),
        }
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let constant = arguments.scalar_arguments.first().copied().flatten();
        let constant = constant.and_then(|name| name.try_as_str().flatten());
        if let Some(Err(error)) = constant.map(str::parse::<Zone>) {
            return plan_err!("{error}");
        }
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, true)))
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let zone = config.execution.time_zone.as_deref().unwrap_or("UTC");
        Some(ScalarUDF::new_from_impl(Self::of_session(zone)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let at = args.args[1].to_array(rows)?;
        let made: ArrayRef = match &args.args[0] {
            ColumnarValue::Scalar(name) => match name.try_as_str().flatten() {
                Some(name) => Arc::new(self.moved(&at, zone(name)?)?),
                None => arrow::array::new_null_array(args.return_field.data_type(), rows),
            },
            ColumnarValue::Array(names) => Arc::new(self.moved_by_row(&at, cast(names, &DataType::Utf8)?.as_string())?),
        };
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&made, 0)?)
        } else {
            ColumnarValue::Array(made)
        })
    }

    /// The instant of a wall-clock time that comes once, so that comparisons with it are comparisons of instants, which choose days.
    fn preimage(&self, args: &[Expr], shown: &Expr, info: &SimplifyContext) -> Result<PreimageResult> {
        let [Expr::Literal(name, _), at] = args else {
            return Ok(PreimageResult::None);
        };
        let (Some(name), Expr::Literal(ScalarValue::TimestampMicrosecond(Some(local), None), _)) = (name.try_as_str().flatten(), shown)
        else {
            return Ok(PreimageResult::None);
        };
        let DataType::Timestamp(TimeUnit::Microsecond, Some(own)) = info.get_data_type(at)? else {
            return Ok(PreimageResult::None);
        };
        let (Ok(zone), own) = (zone(name), Some(own)) else {
            return Ok(PreimageResult::None);
        };
        let Occurrence::Once(instant) = zone.occurrence(*local) else {
            return Ok(PreimageResult::None);
        };
        let bound = |at: Micros| ScalarValue::TimestampMicrosecond(Some(at), own.clone());
        Ok(PreimageResult::Range {
            expr: at.clone(),
            interval: Box::new(Interval::try_new(bound(instant), bound(instant + 1))?),
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Manual {
                syntax: "timezone(zone, at)",
                description: concat!(
                    "What `at AT TIME ZONE zone` means: of an instant, the time on the wall clock of the zone; of a wall-clock time, the ",
                    "instant at which the clock of the zone shows it. A time that the clock skips is the instant of the jump; one that it ",
                    "repeats is the first.",
                ),
                arguments: &[("zone", "an IANA zone"), ("at", "an instant, or a time without a zone")],
                example: concat!(
                    "SELECT user_name, timezone('America/Denver', at) AS local, (at AT TIME ZONE 'America/Denver')::date AS day\n",
                    "FROM denials WHERE feature_id = 2 ORDER BY at;",
                ),
                answer: concat!(
                    " user_name | local               | day\n",
                    "-----------+---------------------+------------\n",
                    " cleo      | 2026-03-02 02:00:00 | 2026-03-02\n",
                    " ben       | 2026-03-02 03:00:00 | 2026-03-02\n",
                    "(2 rows)",
                ),
            }
            .documentation()
        });
        Some(&DOCUMENTATION)
    }
}

const fn is_text(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..)
    )
}

impl Timezone {
    /// Times moved into or out of one zone.
    fn moved(&self, at: &ArrayRef, zone: Zone) -> Result<TimestampMicrosecondArray> {
        let times = instants(at)?;
        if is_instant(at) {
            let mut offsets = Offsets::new(zone);
            return Ok(times.iter().map(|at| at.map(|at| offsets.local(at))).collect());
        }
        let moved: TimestampMicrosecondArray = times.iter().map(|local| local.map(|local| instant_of(zone, local))).collect();
        Ok(moved.with_timezone(Arc::clone(&self.session)))
    }

    /// Times moved into or out of the zones of their rows.
    fn moved_by_row(&self, at: &ArrayRef, names: &StringArray) -> Result<TimestampMicrosecondArray> {
        let is_instant = is_instant(at);
        let mut last: Option<(&str, Zone)> = None;
        let mut moved = Vec::with_capacity(at.len());
        for (time, name) in instants(at)?.iter().zip(names) {
            let (Some(time), Some(name)) = (time, name) else {
                moved.push(None);
                continue;
            };
            let own = match last {
                Some((known, own)) if known == name => own,
                _ => zone(name)?,
            };
            last = Some((name, own));
            moved.push(Some(if is_instant { own.local(time) } else { instant_of(own, time) }));
        }
        let moved = TimestampMicrosecondArray::from(moved);
        Ok(if is_instant {
            moved
        } else {
            moved.with_timezone(Arc::clone(&self.session))
        })
    }
}

fn is_instant(times: &ArrayRef) -> bool {
    times
        .as_primitive_opt::<TimestampMicrosecondType>()
        .is_some_and(|times| times.timezone().is_some())
}

fn instant_of(zone: Zone, local: Micros) -> Micros {
    match zone.occurrence(local) {
        Occurrence::Once(at) | Occurrence::Twice(at, _) | Occurrence::Skipped(at) => at,
    }
}
