//! The way of results from other threads to a JavaScript thread: a queue, and one call for all that is in it.
#![allow(unsafe_code, reason = "Node-API is a C interface")]

use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lightning_db_bindings::{Error, ErrorKind, Result, guard};
use napi_sys as sys;

use crate::context::Context;
use crate::env::{Env, Failure, Outcome, Value};
use crate::error;
use crate::task::Task;

/// Makes a value of JavaScript from a result, on the thread that gets it.
pub type Convert = Box<dyn FnOnce(&Rc<Context>) -> Outcome + Send>;

/// The outcome of what a promise waits for.
pub struct Completion {
    pub ticket: f64,
    pub outcome: Result<Option<Convert>>,
}

/// How far a task has got; whoever gets it answers.
pub struct Step {
    pub ticket: f64,
    pub figures: Convert,
    pub task: Arc<Task>,
}

enum Message {
    Settled(Completion),
    Step(Step),
}

/// Results on their way to one JavaScript thread. Safe to use after that thread has ended: they are dropped then.
pub struct Delivery(Mutex<State>);

#[derive(Default)]
struct State {
    wake: Option<Wake>,
    queue: Vec<Message>,
}

struct Wake(sys::napi_threadsafe_function);

// SAFETY: this is the one thing of Node-API that other threads may call; it is forgotten, under the lock, before it dies.
unsafe impl Send for Wake {}

impl Delivery {
    /// Of a thread that has not been started.
    pub fn new() -> Self {
        Delivery(Mutex::default())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects a thread, which is not kept alive by it.
    pub fn start(&self, context: &Rc<Context>) -> Outcome<()> {
        let env = context.env;
        let (name, mut wake) = (env.text(b"lightning-db")?, ptr::null_mut());
        let share = Rc::into_raw(Rc::clone(context)).cast_mut().cast::<c_void>();
        let (none, finalize) = (ptr::null_mut(), Some(forget as _));
        // SAFETY: the context lives until the finalizer has run.
        let status = unsafe {
            match sys::napi_create_threadsafe_function(
                env.raw(),
                none,
                none,
                name,
                0,
                1,
                share,
                finalize,
                share,
                Some(arrive),
                &mut wake,
            ) {
                sys::Status::napi_ok => sys::napi_unref_threadsafe_function(env.raw(), wake),
                status => status,
            }
        };
        if status != sys::Status::napi_ok {
            return Err(
                Error::new(ErrorKind::Internal, format!("no threadsafe function: status {status}")).into()
            );
        }
        self.state().wake = Some(Wake(wake));
        Ok(())
    }

    /// Forgets the thread: it is about to end.
    pub fn stop(&self) {
        let mut state = self.state();
        state.wake = None;
        let dropped = std::mem::take(&mut state.queue);
        drop(state);
        drop(dropped);
    }

    /// Whether the thread's event loop waits for deliveries. Called on that thread.
    pub fn keep_alive(&self, env: Env, wanted: bool) {
        if let Some(wake) = &self.state().wake {
            // SAFETY: it is alive as long as it is not forgotten, and this is its thread.
            unsafe {
                match wanted {
                    true => sys::napi_ref_threadsafe_function(env.raw(), wake.0),
                    false => sys::napi_unref_threadsafe_function(env.raw(), wake.0),
                }
            };
        }
    }

    /// Sends results. The first in an empty queue wakes the thread.
    pub fn send(&self, completions: impl IntoIterator<Item = Completion>) {
        self.push(completions.into_iter().map(Message::Settled));
    }

    /// Sends how far a task has got.
    pub fn send_step(&self, step: Step) {
        self.push([Message::Step(step)]);
    }

    fn push(&self, messages: impl IntoIterator<Item = Message>) {
        let mut state = self.state();
        let Some(wake) = state.wake.as_ref().map(|wake| wake.0) else {
            drop(state);
            return;
        };
        let is_first = state.queue.is_empty();
        state.queue.extend(messages);
        if is_first && !state.queue.is_empty() {
            // SAFETY: it is alive as long as it is not forgotten, and that happens under the lock.
            let status = unsafe {
                let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
                sys::napi_call_threadsafe_function(wake, ptr::null_mut(), mode)
            };
            if status != sys::Status::napi_ok {
                state.wake = None;
                let dropped = std::mem::take(&mut state.queue);
                drop(state);
                drop(dropped);
            }
        }
    }

    fn take(&self) -> Vec<Message> {
        std::mem::take(&mut self.state().queue)
    }
}

/// Settles everything that has arrived.
fn settle_all(context: &Rc<Context>) {
    for message in context.delivery.take() {
        let arrived = match message {
            Message::Settled(Completion { ticket, outcome }) => {
                let settled = context.env.scoped(|| settle(context, ticket, outcome));
                context.end();
                settled
            }
            Message::Step(Step { ticket, figures, task }) => {
                let stops = context.env.scoped(|| {
                    let stops = context.settle(ticket, None, figures(context)?)?;
                    context.env.boolean_of(stops)
                });
                task.answer(!matches!(stops, Ok(false)));
                stops.map(drop)
            }
        };
        if matches!(arrived, Err(Failure::Pending)) {
            // Only an environment that is being terminated throws here.
            context.env.forget_exception();
        }
    }
}

fn settle(context: &Rc<Context>, ticket: f64, outcome: Result<Option<Convert>>) -> Outcome<()> {
    let converted = outcome.map_err(Failure::from).and_then(|convert| match convert {
        Some(convert) => guard(|| Ok(convert(context))).unwrap_or_else(|panic| Err(panic.into())),
        None => Ok(context.env.nothing()),
    });
    match converted {
        Ok(value) => context.settle(ticket, None, value).map(drop),
        Err(Failure::Engine(error)) => {
            let error: Value = error::create(context.env, &error)?;
            context.settle(ticket, Some(error), context.env.nothing()).map(drop)
        }
        Err(other) => Err(other),
    }
}

/// # Safety
/// Called by Node-API on the thread of `start`, with its context; without an environment when that is ending.
unsafe extern "C" fn arrive(env: sys::napi_env, _function: Value, context: *mut c_void, _data: *mut c_void) {
    if env.is_null() {
        return;
    }
    let shared = context.cast_const().cast::<Context>();
    // SAFETY: the share of `start` lives until the finalizer has run; this call holds one of its own.
    let context = unsafe {
        Rc::increment_strong_count(shared);
        Rc::from_raw(shared)
    };
    let _ = guard(|| {
        settle_all(&context);
        Ok(())
    });
}

/// # Safety
/// Called by Node-API once, with the context of `start`.
unsafe extern "C" fn forget(_env: sys::napi_env, share: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the share of `start`.
    let context = unsafe { Rc::from_raw(share.cast_const().cast::<Context>()) };
    context.delivery.stop();
}
