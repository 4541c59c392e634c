//! `information_schema`: what tables, columns and functions there are. It holds no settings, which name places of the machine.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::information_schema::InformationSchemaProvider;
use datafusion::catalog::{CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::error::Result;

const SETTINGS: &str = "df_settings";

/// The tables about tables.
#[derive(Debug)]
pub(super) struct Information {
    all: InformationSchemaProvider,
    /// The columns, where others than the engine's own words are wanted for their types.
    columns: Option<Arc<dyn TableProvider>>,
}

impl Information {
    pub(super) fn new(catalogs: Arc<dyn CatalogProviderList>, columns: Option<Arc<dyn TableProvider>>) -> Self {
        Self {
            all: InformationSchemaProvider::new(catalogs),
            columns,
        }
    }
}

#[async_trait]
impl SchemaProvider for Information {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.all.table_names();
        names.retain(|name| name != SETTINGS);
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if name.eq_ignore_ascii_case(SETTINGS) {
            return Ok(None);
        }
        if name.eq_ignore_ascii_case("columns")
            && let Some(columns) = &self.columns
        {
            return Ok(Some(Arc::clone(columns)));
        }
        self.all.table(name).await
    }

    fn table_exist(&self, name: &str) -> bool {
        !name.eq_ignore_ascii_case(SETTINGS) && self.all.table_exist(name)
    }
}
