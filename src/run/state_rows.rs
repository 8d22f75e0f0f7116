//! Writing the rows of a state: as many files at a time as there are cores.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::common::runtime::JoinSet;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use crate::error::{Error, Result};
use crate::store::{ShardWriter, WrittenShard};

/// What came of it.
pub(super) enum Outcome {
    /// Files to be kept.
    Written(Vec<WrittenShard>),
    /// There are more rows than are worth keeping.
    TooMany,
    /// The rows could not be computed.
    Failed,
}

/// Why a writer stopped.
enum Stop {
    TooMany,
    Failed,
    Unwritable(Error),
}

/// Writes rows unless there are more than `most`.
pub(super) async fn write_states(
    streams: Vec<SendableRecordBatchStream>,
    most: u64,
    new_shard: impl Fn() -> Result<ShardWriter>,
) -> Result<Outcome> {
    let rows = Arc::new(AtomicU64::new(0));
    let mut writers = JoinSet::new();
    for streams in by_writer(streams) {
        let (writer, rows) = (new_shard()?, Arc::clone(&rows));
        writers.spawn(write(streams, writer, rows, most));
    }
    let mut shards = vec![];
    while let Some(written) = writers.join_next().await {
        match written {
            Ok(Ok(shard)) => shards.push(shard),
            Ok(Err(Stop::TooMany)) => return Ok(Outcome::TooMany),
            Ok(Err(Stop::Unwritable(error))) => return Err(error),
            Ok(Err(Stop::Failed)) | Err(_) => return Ok(Outcome::Failed),
        }
    }
    Ok(Outcome::Written(shards))
}

/// Streams that share a writer; all of them have to be asked in turn, as they wait
/// for each other.
fn by_writer(streams: Vec<SendableRecordBatchStream>) -> Vec<Vec<SendableRecordBatchStream>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut groups: Vec<Vec<_>> = vec![];
    groups.resize_with(cores.min(streams.len()), Vec::new);
    let count = groups.len().max(1);
    for (place, stream) in streams.into_iter().enumerate() {
        groups[place % count].push(stream);
    }
    groups
}

async fn write(
    streams: Vec<SendableRecordBatchStream>,
    mut writer: ShardWriter,
    rows: Arc<AtomicU64>,
    most: u64,
) -> std::result::Result<WrittenShard, Stop> {
    let unwritable = |error| Stop::Unwritable(Error::from(error));
    let mut batches = futures::stream::select_all(streams);
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(|_| Stop::Failed)?;
        let count = batch.num_rows() as u64;
        if rows.fetch_add(count, Ordering::Relaxed) + count > most {
            return Err(Stop::TooMany);
        }
        writer.write(&batch).map_err(unwritable)?;
    }
    writer.finish().map_err(unwritable)
}
