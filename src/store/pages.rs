//! A file of a store, for Parquet's own reader.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::object_store::path::Path as StorePath;
use datafusion::object_store::{Error as StoreError, ObjectStore, ObjectStoreExt};
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::metadata::ParquetMetaData;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::footer;

/// Reads ranges of a file.
pub(super) struct Pages {
    objects: Arc<dyn ObjectStore>,
    path: StorePath,
}

impl Pages {
    pub(super) fn new(objects: Arc<dyn ObjectStore>, path: StorePath) -> Self {
        Self { objects, path }
    }
}

impl AsyncFileReader for Pages {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        let read = async { self.objects.get_range(&self.path, range).await };
        read.map(|bytes| bytes.map_err(failed)).boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        let read = async {
            let footer = footer::whole(self.objects.as_ref(), &self.path).await;
            match footer.map_err(failed)? {
                Some((_, footer)) => Ok(Arc::new(footer)),
                None => Err(ParquetError::General("is no whole Parquet file".to_owned())),
            }
        };
        read.boxed()
    }
}

fn failed(error: StoreError) -> ParquetError {
    ParquetError::External(Box::new(error))
}
