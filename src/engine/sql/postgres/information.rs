//! Tables of `information_schema` that tools of PostgreSQL read: constraints, keys, privileges. There are no such things here.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::error::Result;

/// Tables without rows, and their columns; numbers end with a `#`.
const EMPTY: &[(&str, &str)] = &[
    ("applicable_roles", "grantee role_name is_grantable"),
    (
        "check_constraints",
        "constraint_catalog constraint_schema constraint_name check_clause",
    ),
    ("collations", "collation_catalog collation_schema collation_name pad_attribute"),
    (
        "column_privileges",
        "grantor grantee table_catalog table_schema table_name column_name privilege_type is_grantable",
    ),
    (
        "constraint_column_usage",
        "table_catalog table_schema table_name column_name constraint_catalog constraint_schema constraint_name",
    ),
    (
        "constraint_table_usage",
        "table_catalog table_schema table_name constraint_catalog constraint_schema constraint_name",
    ),
    (
        "domains",
        "domain_catalog domain_schema domain_name data_type character_maximum_length# numeric_precision# numeric_scale# domain_default \
         udt_catalog udt_schema udt_name",
    ),
    (
        "element_types",
        "object_catalog object_schema object_name object_type collection_type_identifier data_type udt_catalog udt_schema udt_name",
    ),
    ("enabled_roles", "role_name"),
    (
        "foreign_tables",
        "foreign_table_catalog foreign_table_schema foreign_table_name foreign_server_catalog foreign_server_name",
    ),
    (
        "key_column_usage",
        "constraint_catalog constraint_schema constraint_name table_catalog table_schema table_name column_name ordinal_position# \
         position_in_unique_constraint#",
    ),
    (
        "referential_constraints",
        "constraint_catalog constraint_schema constraint_name unique_constraint_catalog unique_constraint_schema unique_constraint_name \
         match_option update_rule delete_rule",
    ),
    (
        "role_table_grants",
        "grantor grantee table_catalog table_schema table_name privilege_type is_grantable with_hierarchy",
    ),
    (
        "sequences",
        "sequence_catalog sequence_schema sequence_name data_type numeric_precision# numeric_precision_radix# numeric_scale# start_value \
         minimum_value maximum_value increment cycle_option",
    ),
    (
        "table_constraints",
        "constraint_catalog constraint_schema constraint_name table_catalog table_schema table_name constraint_type is_deferrable \
         initially_deferred enforced nulls_distinct",
    ),
    (
        "table_privileges",
        "grantor grantee table_catalog table_schema table_name privilege_type is_grantable with_hierarchy",
    ),
    (
        "triggers",
        "trigger_catalog trigger_schema trigger_name event_manipulation event_object_catalog event_object_schema event_object_table \
         action_order# action_condition action_statement action_orientation action_timing",
    ),
    (
        "user_defined_types",
        "user_defined_type_catalog user_defined_type_schema user_defined_type_name user_defined_type_category",
    ),
    (
        "view_column_usage",
        "view_catalog view_schema view_name table_catalog table_schema table_name column_name",
    ),
    (
        "view_table_usage",
        "view_catalog view_schema view_name table_catalog table_schema table_name",
    ),
];

/// Every one of these tables, by its name.
pub(super) fn tables(catalog: &str) -> Result<Vec<(&'static str, Arc<dyn TableProvider>)>> {
    let mut tables = Vec::new();
    for (name, columns) in EMPTY {
        let fields = columns.split_ascii_whitespace().map(|column| match column.strip_suffix('#') {
            Some(number) => Field::new(number, DataType::Int32, true),
            None => Field::new(column, DataType::Utf8, true),
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        tables.push((*name, table(RecordBatch::new_empty(schema))?));
    }
    let character_sets = row(&[
        ("character_set_catalog", None),
        ("character_set_schema", None),
        ("character_set_name", Some("UTF8")),
        ("character_repertoire", Some("UCS")),
        ("form_of_use", Some("UTF8")),
        ("default_collate_catalog", Some(catalog)),
        ("default_collate_schema", Some("pg_catalog")),
        ("default_collate_name", Some("C")),
    ])?;
    tables.push(("character_sets", character_sets));
    tables.push(("information_schema_catalog_name", row(&[("catalog_name", Some(catalog))])?));
    Ok(tables)
}

fn row(columns: &[(&str, Option<&str>)]) -> Result<Arc<dyn TableProvider>> {
    let columns = columns.iter().map(|(name, value)| {
        let value: ArrayRef = Arc::new(StringArray::from(vec![*value]));
        (*name, value, true)
    });
    table(RecordBatch::try_from_iter_with_nullable(columns)?)
}

fn table(rows: RecordBatch) -> Result<Arc<dyn TableProvider>> {
    Ok(Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows]])?))
}
