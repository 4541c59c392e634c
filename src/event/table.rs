//! The tables of a store and their columns.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// A table whose rows are kept as Parquet partitions by day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// What license servers recorded; the source of truth. Sorted by feature and instant.
    Events,
    /// Holdings of licenses, one row a session and day. Sorted by feature and start.
    Sessions,
    /// Refused requests. Sorted by feature and instant.
    Denials,
    /// What is held at the first instant of the day. Private to the store. Sorted by feature and start.
    Open,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 4] = [Self::Events, Self::Sessions, Self::Denials, Self::Open];

    /// The name in SQL, in the catalog and of the folder.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Sessions => "sessions",
            Self::Denials => "denials",
            Self::Open => "open",
        }
    }

    /// The table of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// Whether it follows from [`Table::Events`] and can be rebuilt.
    #[must_use]
    pub const fn derived(self) -> bool {
        !matches!(self, Self::Events)
    }

    /// Whether SQL sees it.
    #[must_use]
    pub const fn public(self) -> bool {
        !matches!(self, Self::Open)
    }

    /// The columns of its files; `day`, the partition, is in the path.
    #[must_use]
    pub fn schema(self) -> SchemaRef {
        static SCHEMAS: LazyLock<[SchemaRef; 4]> = LazyLock::new(|| Table::ALL.map(|table| Arc::new(Schema::new(table.fields()))));
        Arc::clone(&SCHEMAS[self as usize])
    }

    fn fields(self) -> Vec<Field> {
        match self {
            Self::Events => vec![
                instant("at").with_nullable(false),
                text("event").with_nullable(false),
                integer("server_id").with_nullable(false),
                integer("feature_id"),
                text("user_name"),
                text("host"),
                text("display"),
                text("group_data"),
                integer("licenses").with_nullable(false),
                Field::new("handle", DataType::Utf8, true),
                integer("reason_code"),
                text("reason"),
                text("project"),
                instant("ended"),
                instant("borrow_until"),
                Field::new("expires", DataType::Date32, true),
                text("source"),
                Field::new("line", DataType::Int64, false),
            ],
            Self::Sessions => vec![
                instant("started").with_nullable(false),
                instant("ended").with_nullable(false),
                instant("session_started").with_nullable(false),
                Field::new("continues", DataType::Boolean, false),
                integer("server_id").with_nullable(false),
                integer("feature_id").with_nullable(false),
                text("user_name"),
                text("host"),
                integer("licenses").with_nullable(false),
            ],
            Self::Denials => vec![
                instant("at").with_nullable(false),
                integer("server_id").with_nullable(false),
                integer("feature_id").with_nullable(false),
                text("user_name"),
                text("host"),
                integer("licenses").with_nullable(false),
                text("reason_class").with_nullable(false),
                Field::new("is_true", DataType::Boolean, false),
            ],
            Self::Open => vec![
                instant("started").with_nullable(false),
                instant("ended"),
                integer("server_id").with_nullable(false),
                integer("feature_id").with_nullable(false),
                text("user_name"),
                text("host"),
                text("display"),
                text("group_data"),
                integer("licenses").with_nullable(false),
                Field::new("handle", DataType::Utf8, true),
            ],
        }
    }
}

/// The type of every instant.
#[must_use]
pub fn instant_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The type of texts that repeat.
#[must_use]
pub fn text_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn instant(name: &str) -> Field {
    Field::new(name, instant_type(), true)
}

fn text(name: &str) -> Field {
    Field::new(name, text_type(), true)
}

fn integer(name: &str) -> Field {
    Field::new(name, DataType::Int32, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_found_by_its_name_and_keeps_its_place() {
        for (place, table) in Table::ALL.into_iter().enumerate() {
            assert_eq!(Table::from_name(table.name()), Some(table));
            assert_eq!(table as usize, place);
        }
    }

    #[test]
    fn no_column_is_a_reserved_word() {
        for table in Table::ALL {
            for field in table.schema().fields() {
                assert!(
                    !["user", "end", "time", "group", "order", "day"].contains(&field.name().as_str()),
                    "{field}"
                );
            }
        }
    }
}
