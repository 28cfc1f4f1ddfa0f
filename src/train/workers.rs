//! Work cut into numbered pieces: the results come back in their order, whatever thread did which.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// `count` pieces over `threads` threads; the piece decides its result, so that sums in this order are always the same.
pub fn each<T: Send>(threads: usize, count: usize, work: impl Fn(usize) -> T + Sync) -> Result<Vec<T>> {
    let threads = threads.clamp(1, count.max(1));
    if threads == 1 {
        return Ok((0..count).map(work).collect());
    }
    let next = AtomicUsize::new(0);
    let made: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::with_capacity(count));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let piece = next.fetch_add(1, Ordering::Relaxed);
                    if piece >= count {
                        break;
                    }
                    let result = work(piece);
                    if let Ok(mut made) = made.lock() {
                        made.push((piece, result));
                    }
                }
            });
        }
    });
    let mut made = made.into_inner().map_err(|_| Error::Fault("a worker stopped".to_owned()))?;
    made.sort_unstable_by_key(|(piece, _)| *piece);
    Ok(made.into_iter().map(|(_, result)| result).collect())
}
