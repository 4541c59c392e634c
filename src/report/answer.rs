//! Columns and a chart for rows that nobody has described: answers to SQL.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::{ChartForm, ChartSpec, Column, ColumnType, Visibility};

/// How many lines a chart has.
const MOST_LINES: usize = 6;

/// Columns as the rows have them, each with a name of its own; and the rows' schema with these names.
#[must_use]
pub fn columns_of(schema: &Schema) -> (Vec<Column>, SchemaRef) {
    let mut taken = BTreeSet::new();
    let mut fields = Vec::with_capacity(schema.fields().len());
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let mut name = field.name().clone();
        let mut count = 1;
        while !taken.insert(name.clone()) {
            count += 1;
            name = format!("{}_{count}", field.name());
        }
        fields.push(Field::new(&name, field.data_type().clone(), true));
        columns.push(Column {
            title: name.clone(),
            name,
            kind: kind_of(field.data_type()),
            visibility: Visibility::Shown,
            values: Vec::new(),
            summary: String::new(),
            native: Some(native(field.data_type())),
        });
    }
    (columns, Arc::new(Schema::new(fields)))
}

fn kind_of(kind: &DataType) -> ColumnType {
    match kind {
        DataType::Boolean => ColumnType::Boolean,
        DataType::Date32 => ColumnType::Date,
        DataType::Timestamp(..) => ColumnType::Timestamp,
        // A number that does not fit into 64 bits with a sign keeps all its digits too.
        DataType::UInt64 => ColumnType::Number,
        kind if kind.is_integer() => ColumnType::Integer,
        kind if kind.is_numeric() => ColumnType::Number,
        _ => ColumnType::Text,
    }
}

/// What formats for programs have: the type itself, where every reader knows it.
fn native(kind: &DataType) -> DataType {
    match kind {
        DataType::Boolean
        | DataType::Date32
        | DataType::Binary
        | DataType::Timestamp(TimeUnit::Millisecond | TimeUnit::Microsecond | TimeUnit::Nanosecond, _)
        | DataType::Decimal128(..) => kind.clone(),
        DataType::Timestamp(TimeUnit::Second, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::Float16 => DataType::Float32,
        DataType::List(field) => {
            let item = field.as_ref().clone().with_data_type(native(field.data_type()));
            DataType::List(Arc::new(item))
        }
        kind if kind.is_integer() || kind.is_floating() => kind.clone(),
        // Texts, however they are kept, and what only few readers know.
        _ => DataType::Utf8,
    }
}

/// A chart, if the first column can be an axis and numbers follow.
#[must_use]
pub fn chart_of(columns: &[Column]) -> Option<ChartSpec> {
    let (first, rest) = columns.split_first()?;
    let is_number = |column: &&Column| matches!(column.kind, ColumnType::Integer | ColumnType::Number);
    let numbers: Vec<String> = rest
        .iter()
        .filter(is_number)
        .map(|column| column.name.clone())
        .take(MOST_LINES)
        .collect();
    let kind = match first.kind {
        ColumnType::Date if numbers.len() == 1 => ChartForm::Bars,
        ColumnType::Date | ColumnType::Timestamp | ColumnType::Integer | ColumnType::Number => ChartForm::Lines,
        _ => return None,
    };
    (!numbers.is_empty()).then(|| ChartSpec {
        kind,
        x: first.name.clone(),
        y: numbers,
        weight: None,
        shares: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_name_of_its_own() {
        let field = |name: &str, kind| Field::new(name, kind, false);
        let schema = Schema::new(vec![
            field("day", DataType::Date32),
            field("n", DataType::Int64),
            field("n", DataType::Float64),
            field("n_2", DataType::Utf8View),
            field("big", DataType::UInt64),
        ]);
        let (columns, renamed) = columns_of(&schema);
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["day", "n", "n_2", "n_2_2", "big"]);
        assert_eq!(renamed.field(2).data_type(), &DataType::Float64);
        let kinds: Vec<ColumnType> = columns.iter().map(|column| column.kind).collect();
        use ColumnType::{Date, Integer, Number, Text};
        assert_eq!(kinds, [Date, Integer, Number, Text, Number]);
        let chart = chart_of(&columns).unwrap();
        assert_eq!((chart.kind, chart.x.as_str(), chart.y.len()), (ChartForm::Lines, "day", 3));
        assert_eq!(chart_of(&columns[..2]).unwrap().kind, ChartForm::Bars);
        assert!(chart_of(&columns[..1]).is_none() && chart_of(&columns[3..]).is_none());
    }
}
