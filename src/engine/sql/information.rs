//! `information_schema`: what tables, columns and functions there are. It holds no settings, which name places of the machine.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::information_schema::InformationSchemaProvider;
use datafusion::catalog::{CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::error::Result;

const SETTINGS: &str = "df_settings";

/// The tables about tables.
#[derive(Debug)]
pub(super) struct Information(InformationSchemaProvider);

impl Information {
    pub(super) fn new(catalogs: Arc<dyn CatalogProviderList>) -> Self {
        Self(InformationSchemaProvider::new(catalogs))
    }
}

#[async_trait]
impl SchemaProvider for Information {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.0.table_names();
        names.retain(|name| name != SETTINGS);
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if name.eq_ignore_ascii_case(SETTINGS) {
            return Ok(None);
        }
        self.0.table(name).await
    }

    fn table_exist(&self, name: &str) -> bool {
        !name.eq_ignore_ascii_case(SETTINGS) && self.0.table_exist(name)
    }
}
