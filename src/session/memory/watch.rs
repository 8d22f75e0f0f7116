//! A watch over what the process really holds.

use std::sync::Arc;
use std::time::Duration;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::sync::watch;

use super::machine_bytes;
use crate::error::Error;
use crate::session::size::show_size;

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(20);

/// What the process may at least hold beyond its limit for itself: code, buffers of
/// files, batches on their way between operators.
const OWN_BYTES: usize = 300 << 20;

/// Names the largest holders of memory.
pub(super) type Report = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// Knows whether the process holds more than its limit by more than a half, and by
/// more than 300 MiB, or nearly all of the machine: operators that do not account for their memory end there, instead of being
/// killed by the machine.
#[derive(Clone)]
pub struct MemoryWatch {
    limit: usize,
    report: Report,
    /// Bytes held while these are too many.
    held: watch::Receiver<Option<usize>>,
}

impl MemoryWatch {
    /// Starts a thread that looks now and then, and ends with the last watch.
    pub(super) fn start(limit: usize, report: Report) -> Option<Self> {
        let most = most_bytes(limit, machine_bytes());
        let (sender, held) = watch::channel(None);
        let look = move || {
            let Ok(pid) = sysinfo::get_current_pid() else {
                return;
            };
            let mut system = System::new();
            while !sender.is_closed() {
                let now = Some(process_bytes(&mut system, pid)).filter(|bytes| *bytes > most);
                sender.send_if_modified(|held| {
                    std::mem::replace(held, now).is_some() != now.is_some()
                });
                std::thread::sleep(PAUSE);
            }
        };
        // A machine that gives no more threads has no memory to watch either.
        let thread = std::thread::Builder::new().name("memory".to_owned());
        thread.spawn(look).ok()?;
        Some(Self {
            limit,
            report,
            held,
        })
    }

    /// Waits until the process holds too much.
    pub async fn exceeded(&self) -> Error {
        let mut held = self.held.clone();
        let bytes = held.wait_for(Option::is_some).await.map(|bytes| *bytes);
        let Ok(bytes) = bytes else {
            // The thread is gone: nobody will ever say so.
            return std::future::pending().await;
        };
        let said = self.say(bytes.unwrap_or_default());
        let message = match (self.report)().join(", ") {
            holders if holders.is_empty() => said,
            holders => format!("{said}; accounted for: {holders}"),
        };
        Error::new(format!("out of memory: {message}"))
            .hint("raise --memory-limit, or give the query fewer rows or columns to hold at once")
    }

    /// What is wrong, while the process holds too much.
    pub(super) fn too_much(&self) -> Option<String> {
        let held = *self.held.borrow();
        held.map(|bytes| self.say(bytes))
    }

    fn say(&self, bytes: usize) -> String {
        let (bytes, limit) = (show_size(bytes), show_size(self.limit));
        format!("the process holds {bytes}, with a limit of {limit}")
    }
}

/// How much the process may hold. The last tenth of a machine is not for it, unless the limit
/// says so: there the system would choose whom to kill.
fn most_bytes(limit: usize, machine: Option<usize>) -> usize {
    let most = limit.saturating_add(OWN_BYTES.max(limit / 2));
    match machine {
        Some(machine) => most.min((machine / 10 * 9).max(limit)),
        None => most,
    }
}

fn process_bytes(system: &mut System, pid: Pid) -> usize {
    let own = [pid];
    let which = ProcessesToUpdate::Some(&own);
    let what = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(which, false, what);
    let bytes = system.process(pid).map_or(0, sysinfo::Process::memory);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tenth_of_a_machine_is_left() {
        let gib = 1 << 30;
        assert_eq!(most_bytes(2 * gib, Some(24 * gib)), 3 * gib);
        assert_eq!(most_bytes(18 * gib, Some(20 * gib)), 18 * gib);
        assert_eq!(most_bytes(30 * gib, Some(20 * gib)), 30 * gib);
        assert_eq!(most_bytes(gib, None), gib + gib / 2);
    }

    #[test]
    fn what_is_taken_without_asking_is_seen() {
        let report: Report = Arc::new(|| vec!["GROUP BY (3 MB)".to_owned()]);
        let watch = MemoryWatch::start(1_000_000, report).expect("a thread");
        // Written to, so that the machine really gives it.
        let taken = vec![1u8; OWN_BYTES + (20 << 20)];
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        let exceeded = async { tokio::time::timeout(PAUSE * 500, watch.exceeded()).await };
        let error = runtime.block_on(exceeded).expect("seen in time");
        assert_eq!(
            taken.iter().map(|byte| usize::from(*byte)).sum::<usize>(),
            taken.len()
        );
        let said = error.to_string();
        assert!(said.contains("the process holds"), "{said}");
        assert!(
            said.contains("with a limit of 1.0 MB; accounted for: GROUP BY (3 MB)"),
            "{said}"
        );
    }
}
