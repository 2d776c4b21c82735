//! A Slint platform without a screen: the software renderer paints into memory, and the event loop
//! sleeps until someone calls or a timer is due. A crate of its own because the renderer is
//! generic over the pixel: it is compiled where it is used, and here optimised in every profile.

#![warn(missing_docs)]

use std::cell::Cell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use slint::platform::software_renderer::{MinimalSoftwareWindow, RepaintBufferType};
use slint::platform::{EventLoopProxy, Platform, WindowAdapter};
use slint::{EventLoopError, PhysicalSize, PlatformError, Rgb8Pixel};

/// The platform.
pub struct Headless {
    canvas: Rc<Canvas>,
    began: Instant,
    calls: Cell<Option<Receiver<Call>>>,
    /// `None` where there is no loop to call into.
    caller: Option<Sender<Call>>,
}

enum Call {
    Run(Box<dyn FnOnce() + Send>),
    Quit,
}

impl Headless {
    /// Makes it this thread's platform, with an event loop: one to a process.
    ///
    /// # Errors
    /// The thread has a platform or the process an event loop already.
    pub fn install(size: PhysicalSize) -> Result<Rc<Canvas>, PlatformError> {
        let (caller, calls) = channel();
        Self::set(size, Some(caller), Some(calls))
    }

    /// Makes it this thread's platform without an event loop, for tests and pictures: each thread
    /// may have its own.
    ///
    /// # Errors
    /// The thread has a platform already.
    pub fn stage(size: PhysicalSize) -> Result<Rc<Canvas>, PlatformError> {
        Self::set(size, None, None)
    }

    fn set(
        size: PhysicalSize,
        caller: Option<Sender<Call>>,
        calls: Option<Receiver<Call>>,
    ) -> Result<Rc<Canvas>, PlatformError> {
        let window = MinimalSoftwareWindow::new(RepaintBufferType::ReusedBuffer);
        window.set_size(size);
        let picture = Arc::new(Picture::new(size));
        let canvas = Rc::new(Canvas { window, picture });
        let platform =
            Self { canvas: canvas.clone(), began: Instant::now(), calls: Cell::new(calls), caller };
        slint::platform::set_platform(Box::new(platform))
            .map_err(|error| PlatformError::Other(error.to_string()))?;
        Ok(canvas)
    }

    /// Until when nothing happens by itself; `None` = for ever.
    fn idle(&self) -> Option<Duration> {
        if self.canvas.window.has_active_animations() {
            return Some(FRAME);
        }
        slint::platform::duration_until_next_timer_update()
    }
}

impl Platform for Headless {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        Ok(self.canvas.window.clone())
    }

    fn duration_since_start(&self) -> Duration {
        self.began.elapsed()
    }

    fn run_event_loop(&self) -> Result<(), PlatformError> {
        let calls = self.calls.take().ok_or(PlatformError::NoEventLoopProvider)?;
        loop {
            slint::platform::update_timers_and_animations();
            self.canvas.paint();
            let call = match self.idle() {
                Some(idle) => calls.recv_timeout(idle),
                None => calls.recv().map_err(RecvTimeoutError::from),
            };
            match call {
                Ok(Call::Run(call)) => call(),
                Ok(Call::Quit) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        self.calls.set(Some(calls));
        Ok(())
    }

    fn new_event_loop_proxy(&self) -> Option<Box<dyn EventLoopProxy>> {
        let caller = self.caller.clone()?;
        Some(Box::new(Proxy(caller)))
    }
}

struct Proxy(Sender<Call>);

impl EventLoopProxy for Proxy {
    fn quit_event_loop(&self) -> Result<(), EventLoopError> {
        let sent = self.0.send(Call::Quit);
        sent.map_err(|_| EventLoopError::EventLoopTerminated)
    }

    fn invoke_from_event_loop(
        &self,
        event: Box<dyn FnOnce() + Send>,
    ) -> Result<(), EventLoopError> {
        let sent = self.0.send(Call::Run(event));
        sent.map_err(|_| EventLoopError::EventLoopTerminated)
    }
}

/// The window in memory and what is painted of it.
pub struct Canvas {
    window: Rc<MinimalSoftwareWindow>,
    picture: Arc<Picture>,
}

impl Canvas {
    /// Paints what has changed; the event loop does so by itself.
    pub fn paint(&self) {
        self.window.draw_if_needed(|renderer| {
            let mut frame = self.picture.frame();
            let stride = self.picture.width;
            renderer.render(&mut frame.pixels, stride);
            frame.number += 1;
            self.picture.painted.notify_all();
        });
    }

    /// Can be looked at from any thread.
    pub fn picture(&self) -> Arc<Picture> {
        self.picture.clone()
    }
}

/// What is painted, for whoever wants to look. Repaints are counted.
pub struct Picture {
    width: usize,
    height: usize,
    frame: Mutex<Frame>,
    painted: Condvar,
}

struct Frame {
    number: u64,
    pixels: Vec<Rgb8Pixel>,
}

impl Picture {
    fn new(size: PhysicalSize) -> Self {
        let (width, height) = (size.width as usize, size.height as usize);
        Self {
            width,
            height,
            frame: Mutex::new(Frame {
                number: 0,
                pixels: vec![Rgb8Pixel::default(); width * height],
            }),
            painted: Condvar::new(),
        }
    }

    /// The first picture that is newer than `after`, or the present one after `patience`: its
    /// number, its width and height, its pixels.
    pub fn look(
        &self,
        after: Option<u64>,
        patience: Duration,
    ) -> (u64, [usize; 2], Vec<Rgb8Pixel>) {
        let frame = self.frame();
        let waited = self.painted.wait_timeout_while(frame, patience, |frame| {
            after.is_some_and(|after| frame.number <= after)
        });
        let (frame, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (frame.number, [self.width, self.height], frame.pixels.clone())
    }

    /// The picture now, `scale` times smaller each way: the mean of each square.
    pub fn shrunk(&self, scale: usize) -> ([usize; 2], Vec<Rgb8Pixel>) {
        let frame = self.frame();
        let (width, height) = (self.width / scale, self.height / scale);
        let mean = |x: usize, y: usize| {
            let mut sum = [0usize; 3];
            for row in y * scale..(y + 1) * scale {
                let from = row * self.width + x * scale;
                for pixel in &frame.pixels[from..from + scale] {
                    sum[0] += usize::from(pixel.r);
                    sum[1] += usize::from(pixel.g);
                    sum[2] += usize::from(pixel.b);
                }
            }
            let [r, g, b] = sum.map(|sum| u8::try_from(sum / (scale * scale)).unwrap_or(u8::MAX));
            Rgb8Pixel::new(r, g, b)
        };
        let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        ([width, height], rows.map(|(x, y)| mean(x, y)).collect())
    }

    fn frame(&self) -> MutexGuard<'_, Frame> {
        self.frame.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const FRAME: Duration = Duration::from_millis(16);
