//! Work cut over threads.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// Cuts `units` over so many workers, each with a state of its own made by `new`; the states come back in no meaningful
/// order. The first error stops them all.
pub fn share<U: Send, S: Send>(
    workers: usize,
    units: Vec<U>,
    new: impl Fn() -> S + Sync,
    each: impl Fn(&mut S, U) -> Result<()> + Sync,
) -> Result<Vec<S>> {
    let count = workers.clamp(1, units.len().max(1));
    let units: Vec<Mutex<Option<U>>> = units.into_iter().map(|unit| Mutex::new(Some(unit))).collect();
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || -> Result<S> {
        let mut state = new();
        while !stop.load(Ordering::Relaxed) {
            let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            let unit = unit.lock().ok().and_then(|mut unit| unit.take());
            let Some(unit) = unit else { continue };
            if let Err(error) = each(&mut state, unit) {
                stop.store(true, Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(state)
    };
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
        let states: Vec<Result<S>> = handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or_else(|_| Err(Error::Fault("a worker stopped".to_owned()))))
            .collect();
        states.into_iter().collect()
    })
}

/// Makes something of each unit, cut over so many workers, in the order of the units; an error is that of any unit.
pub fn each<U: Send, T: Send>(workers: usize, units: Vec<U>, make: impl Fn(U) -> Result<T> + Sync) -> Result<Vec<T>> {
    let numbered = units.into_iter().enumerate().collect();
    let made = share(workers, numbered, Vec::new, |made: &mut Vec<(usize, T)>, (number, unit)| {
        made.push((number, make(unit)?));
        Ok(())
    })?;
    let mut made: Vec<(usize, T)> = made.into_iter().flatten().collect();
    made.sort_unstable_by_key(|(number, _)| *number);
    Ok(made.into_iter().map(|(_, made)| made).collect())
}

/// Two pieces of work, side by side where there is more than one worker.
pub fn both<A: Send, B>(
    workers: usize,
    one: impl FnOnce() -> Result<A> + Send,
    other: impl FnOnce() -> Result<B>,
) -> Result<(A, B)> {
    if workers < 2 {
        return Ok((one()?, other()?));
    }
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        let one = one.join().unwrap_or_else(|_| Err(Error::Fault("a worker stopped".to_owned())));
        Ok((one?, other?))
    })
}

/// Ranges that together are `0..count`, so many in each but the last.
pub fn ranges(count: usize, in_each: usize) -> Vec<Range<usize>> {
    (0..count).step_by(in_each.max(1)).map(|first| first..count.min(first + in_each)).collect()
}
