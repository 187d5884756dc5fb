//! Scans, which cross to JavaScript a page of entries at a time.

use std::rc::Rc;
use std::sync::Arc;

use lightning_db_bindings::{
    Bounds, Cursor, Error, ErrorKind, Exclusive, Page, Read, Result, ScanOptions, Snapshot, Store, Within,
};

use crate::bytes::Room;
use crate::db::{Fixed, Handle};
use crate::delivery::Convert;
use crate::env::{Env, Outcome, Value};
use crate::function::define as define_function;
use crate::jobs;
use crate::options::limit_of;
use crate::page::give;

/// A page that comes from another thread has at least so many entries: the way there costs as much as reading them.
const LEAST_ASYNC: usize = 128;

/// A scan of any kind.
pub type ScanHandle = Exclusive<Walk>;

/// A scan and the page that it fills.
pub struct Walk {
    state: State,
    page: Page,
}

enum State {
    /// Tables are opened by the first page: that may go to the disk. The snapshot keeps the instant.
    Waiting(Within<Snapshot>, ScanOptions),
    Open(Cursor),
}

/// The functions of a handle.
pub fn define(env: Env, object: Value, handle: &Rc<Handle>) -> Outcome<()> {
    define_function(env, object, "scan", handle, scan)?;
    define_function(env, object, "count", handle, |handle, env, values| {
        measure(handle, env, values, Store::count)
    })?;
    define_function(env, object, "approximateSize", handle, |handle, env, values| {
        measure(handle, env, values, Store::approximate_size)
    })?;
    define_function(env, object, "fill", handle, fill)?;
    define_function(env, object, "fillAsync", handle, fill_async)?;
    define_function(env, object, "endScan", handle, end_scan)
}

/// `gt, gte, lt, lte, prefix, reverse, limit`.
fn options_of(env: Env, [gt, gte, lt, lte, prefix, reverse, limit]: [Value; 7]) -> Outcome<ScanOptions> {
    let mut rooms = [Room::new(), Room::new(), Room::new(), Room::new(), Room::new()];
    let [gt_room, gte_room, lt_room, lte_room, prefix_room] = &mut rooms;
    let bounds = Bounds {
        gt: env.bytes_or_none(gt, gt_room)?,
        gte: env.bytes_or_none(gte, gte_room)?,
        lt: env.bytes_or_none(lt, lt_room)?,
        lte: env.bytes_or_none(lte, lte_room)?,
        prefix: env.bytes_or_none(prefix, prefix_room)?,
        reverse: !env.is_nothing(reverse)? && env.boolean_of(reverse)?,
        limit: limit_of(env, limit)?,
    };
    Ok(bounds.options()?)
}

/// `scan(target, gt, gte, lt, lte, prefix, reverse, limit)`: the number of a new scan.
fn scan(handle: &Rc<Handle>, env: Env, [target, bounds @ ..]: [Value; 8]) -> Outcome {
    let options = options_of(env, bounds)?;
    let state = match handle.target(env.number_of(target)?)?.fixed()? {
        Fixed::Snapshot(snapshot) => {
            // A keyspace that was dropped is refused now; one that is dropped later is not.
            snapshot.check_scan()?;
            State::Waiting(snapshot, options)
        }
        Fixed::Transaction(transaction) => State::Open(transaction.cursor(options)?),
    };
    let walk = Walk { state, page: Page::new() };
    env.number(handle.scans.borrow_mut().add(Arc::new(Exclusive::new("scan", walk)))?)
}

impl Walk {
    /// Fills the page; `least`: with so many entries, where reading ahead does no harm.
    fn fill(&mut self, values: bool, least: usize) -> Result<()> {
        if let State::Waiting(snapshot, options) = &self.state {
            self.state = State::Open(snapshot.cursor(options.clone())?);
        }
        match &mut self.state {
            State::Open(cursor) => {
                cursor.read_ahead(least);
                cursor.fill(&mut self.page, values)
            }
            State::Waiting(..) => Err(Error::new(ErrorKind::Internal, "a scan that is not open")),
        }
    }
}

/// `count(ticket, store, gt, gte, lt, lte, prefix, reverse, limit)`, `approximateSize(…)`: a number about what a scan of a
/// store would walk.
fn measure(
    handle: &Rc<Handle>,
    env: Env,
    [ticket, store, bounds @ ..]: [Value; 9],
    figure: impl FnOnce(&Store, ScanOptions) -> Result<u64> + Send + 'static,
) -> Outcome {
    let options = options_of(env, bounds)?;
    let store = handle.store(env.number_of(store)?)?;
    jobs::read(&handle.context, env.number_of(ticket)?, move || {
        let figure = figure(&store, options)?;
        let convert: Convert = Box::new(move |context| context.env.number(figure as f64));
        Ok(Some(convert))
    })?;
    Ok(env.nothing())
}

/// `fill(scan, form, values)`: the next page; its count is 0 at the end.
fn fill(handle: &Rc<Handle>, env: Env, [scan, form, values]: [Value; 3]) -> Outcome {
    let scan = Arc::clone(handle.scans.borrow().get(env.number_of(scan)?)?);
    let (form, values) = (env.number_of(form)? as u32, env.boolean_of(values)?);
    let mut value = Ok(env.nothing());
    scan.with(|walk| {
        walk.fill(values, 0)?;
        value = give(&handle.context, &walk.page, form, true);
        Ok(())
    })?;
    value
}

/// `fillAsync(ticket, scan, form, values)`: the same in a promise.
fn fill_async(handle: &Rc<Handle>, env: Env, [ticket, scan, form, values]: [Value; 4]) -> Outcome {
    let scan = Arc::clone(handle.scans.borrow().get(env.number_of(scan)?)?);
    let (form, values) = (env.number_of(form)? as u32, env.boolean_of(values)?);
    jobs::read(&handle.context, env.number_of(ticket)?, move || {
        scan.with(|walk| {
            walk.fill(values, LEAST_ASYNC)?;
            let page = std::mem::take(&mut walk.page);
            let convert: Convert = Box::new(move |context| give(context, &page, form, false));
            Ok(Some(convert))
        })
    })?;
    Ok(env.nothing())
}

/// `endScan(scan)`: lets it go. One that has ended is no error.
fn end_scan(handle: &Rc<Handle>, env: Env, [scan]: [Value; 1]) -> Outcome {
    let scan = handle.scans.borrow_mut().take(env.number_of(scan)?);
    drop(scan);
    Ok(env.nothing())
}
