//! What belongs to one JavaScript thread: the memory it shares with us, its open handles, its pending promises.
#![allow(unsafe_code, reason = "memory shared with JavaScript, and hooks of a C interface")]

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use lightning_db_bindings::{Error, ErrorKind, Result, guard};
use napi_sys as sys;

use crate::db::Handle;
use crate::delivery::Delivery;
use crate::env::{Env, Failure, Kept, Outcome, Value};

/// Places in the shared words.
pub mod word {
    use lightning_db_bindings::Page;

    /// Where the slab is free from.
    pub const POSITION: usize = 0;
    /// Entries of the page.
    pub const COUNT: usize = 1;
    /// Form of the page: see [`super::form`].
    pub const FORM: usize = 2;
    /// Where in the slab the page is, if it is there.
    pub const START: usize = 3;
    /// The first end of a page.
    pub const ENDS: usize = 8;
    /// Number of words.
    pub const TOTAL: usize = ENDS + 2 * Page::MAX_ENTRIES;
    /// The places that JavaScript looks at.
    pub const NAMED: [(&str, usize); 5] =
        [("Position", POSITION), ("Count", COUNT), ("Form", FORM), ("Start", START), ("Ends", ENDS)];
}

/// Bits of the form of a page.
pub mod form {
    /// Keys are text.
    pub const TEXT_KEYS: u32 = 1;
    /// Values are text.
    pub const TEXT_VALUES: u32 = 2;
    /// What is not text lies in the slab.
    pub const IN_SLAB: u32 = 4;
    /// All of them.
    pub const NAMED: [(&str, u32); 3] =
        [("TextKeys", TEXT_KEYS), ("TextValues", TEXT_VALUES), ("InSlab", IN_SLAB)];
}

/// What is copied to the slab is at most so long; JavaScript leaves at least so much room.
pub const SLAB_ITEM_LEN: usize = 8 << 10;

/// The state of one JavaScript thread.
pub struct Context {
    pub env: Env,
    pub delivery: Arc<Delivery>,
    /// Creates an error; settles a promise.
    functions: RefCell<Option<Functions>>,
    handles: RefCell<Vec<Weak<Handle>>>,
    /// Promises that wait for us: they keep the process alive.
    pending: Cell<usize>,
    words: Cell<*mut u32>,
    slab: Cell<*mut u8>,
    slab_len: Cell<usize>,
    kept_slab: RefCell<Option<Kept>>,
}

struct Functions {
    create_error: Kept,
    settle: Kept,
    _words: Kept,
}

impl Context {
    /// Sets up a thread: its instance data, its clean-up, its deliveries.
    pub fn start(env: Env) -> Outcome<Rc<Context>> {
        let context = Rc::new(Context {
            env,
            delivery: Arc::new(Delivery::new()),
            functions: RefCell::new(None),
            handles: RefCell::new(Vec::new()),
            pending: Cell::new(0),
            words: Cell::new(ptr::null_mut()),
            slab: Cell::new(ptr::null_mut()),
            slab_len: Cell::new(0),
            kept_slab: RefCell::new(None),
        });
        context.delivery.start(&context)?;
        let data = Rc::into_raw(Rc::clone(&context)).cast_mut().cast();
        // SAFETY: the instance data is let go with the environment, behind the clean-up.
        let status = unsafe {
            match sys::napi_set_instance_data(env.raw(), data, Some(forget), ptr::null_mut()) {
                sys::Status::napi_ok => sys::napi_add_env_cleanup_hook(env.raw(), Some(clean_up), data),
                status => status,
            }
        };
        match status {
            sys::Status::napi_ok => Ok(context),
            other => Err(Error::new(ErrorKind::Internal, format!("no instance data: status {other}")).into()),
        }
    }

    /// The state of a thread.
    pub fn of<'a>(env: Env) -> Outcome<&'a Context> {
        let mut data = ptr::null_mut();
        // SAFETY: instance data is set when the library is loaded and lives as long as the environment.
        let context = unsafe {
            sys::napi_get_instance_data(env.raw(), &mut data);
            data.cast_const().cast::<Context>().as_ref()
        };
        context.ok_or(Failure::Type("the library is not set up"))
    }

    /// Takes over what JavaScript gives at its start: two functions and the shared words, which it gives to nobody else.
    pub fn set_up(&self, env: Env, [create_error, settle, words]: [Value; 3]) -> Outcome<()> {
        let (data, len) = env.view(words, sys::TypedarrayType::uint32_array, "a Uint32Array is expected")?;
        if len < word::TOTAL {
            return Err(Failure::Type("a longer Uint32Array is expected"));
        }
        let functions = Functions {
            create_error: env.keep(create_error)?,
            settle: env.keep(settle)?,
            _words: env.keep(words)?,
        };
        self.words.set(data.cast());
        *self.functions.borrow_mut() = Some(functions);
        Ok(())
    }

    /// Takes a fresh slab.
    pub fn set_slab(&self, env: Env, slab: Value) -> Outcome<()> {
        let (data, len) = env.view(slab, sys::TypedarrayType::uint8_array, "a Uint8Array is expected")?;
        let kept = env.keep(slab)?;
        if let Some(before) = self.kept_slab.borrow_mut().replace(kept) {
            env.release(before);
        }
        self.slab.set(data);
        self.slab_len.set(len);
        self.set_word(word::POSITION, 0);
        Ok(())
    }

    /// Copies bytes to the free part of the slab and tells where; `None`: they are too long for it. Only for calls
    /// from JavaScript, which looks at the slab (a user can detach it) right before them.
    #[inline]
    pub fn place(&self, bytes: &[u8]) -> Option<usize> {
        let start = self.word(word::POSITION) as usize;
        let end = start + bytes.len();
        if bytes.len() > SLAB_ITEM_LEN || end > self.slab_len.get() {
            return None;
        }
        // SAFETY: the slab has so many bytes, JavaScript has just seen it whole, and nobody knows its free part.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.slab.get().add(start), bytes.len()) };
        // The next item starts at a multiple of 8.
        self.set_word(word::POSITION, end.next_multiple_of(8) as u32);
        Some(start)
    }

    #[inline]
    fn word(&self, index: usize) -> u32 {
        debug_assert!(index < word::TOTAL);
        let words = self.words.get();
        if words.is_null() {
            return 0;
        }
        // SAFETY: so many words are there; this thread alone uses them, and they are never detached.
        unsafe { words.add(index).read() }
    }

    /// Sets one of the shared words.
    #[inline]
    pub fn set_word(&self, index: usize, value: u32) {
        let words = self.words.get();
        if !words.is_null() && index < word::TOTAL {
            // SAFETY: as in `word`.
            unsafe { words.add(index).write(value) };
        }
    }

    /// Creates a `LightningDbError`.
    pub fn create_error(&self, arguments: &[Value]) -> Outcome {
        let functions = self.functions.borrow();
        let functions = functions.as_ref().ok_or(Failure::Type("the library is not set up"))?;
        self.env.call(self.env.kept(&functions.create_error)?, arguments)
    }

    /// Settles a promise of JavaScript, or tells a step of a task: then the answer is whether it stops.
    pub fn settle(&self, ticket: f64, error: Option<Value>, value: Value) -> Outcome {
        let function = {
            let functions = self.functions.borrow();
            let functions = functions.as_ref().ok_or(Failure::Type("the library is not set up"))?;
            self.env.kept(&functions.settle)?
        };
        let undefined = self.env.undefined()?;
        let value = if value.is_null() { undefined } else { value };
        let arguments = [self.env.number(ticket)?, error.unwrap_or(undefined), value];
        self.env.call(function, &arguments)
    }

    /// Counts a promise that waits for us.
    pub fn begin(&self) {
        self.pending.set(self.pending.get() + 1);
        if self.pending.get() == 1 {
            self.delivery.keep_alive(self.env, true);
        }
    }

    /// Counts it back.
    pub fn end(&self) {
        self.pending.set(self.pending.get().saturating_sub(1));
        if self.pending.get() == 0 {
            self.delivery.keep_alive(self.env, false);
        }
    }

    /// Notes a handle, to be closed with the environment.
    pub fn note(&self, handle: &Rc<Handle>) {
        let mut handles = self.handles.borrow_mut();
        handles.retain(|known| known.strong_count() > 0);
        handles.push(Rc::downgrade(handle));
    }

    /// The environment ends: nothing is delivered any more, every handle is closed, its queued writes committed.
    fn shut_down(&self) -> Result<()> {
        self.delivery.stop();
        let handles = std::mem::take(&mut *self.handles.borrow_mut());
        for handle in handles.iter().filter_map(Weak::upgrade) {
            // Nobody is left to tell.
            let _ = handle.close_now();
        }
        Ok(())
    }
}

/// # Safety
/// Called by Node-API once, with the context of `start`.
unsafe extern "C" fn clean_up(data: *mut c_void) {
    // SAFETY: the instance data is let go behind all hooks.
    if let Some(context) = unsafe { data.cast_const().cast::<Context>().as_ref() } {
        let _ = guard(|| context.shut_down());
    }
}

/// # Safety
/// Called by Node-API once, with the context of `start`.
unsafe extern "C" fn forget(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the share of the instance data.
    drop(unsafe { Rc::from_raw(data.cast_const().cast::<Context>()) });
}
