//! The workbench's finger and eye (`--remote`): [`RemoteRequest`]s over a Unix socket, each
//! connection on a thread of its own, so that a long wait for a picture holds up no touch.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use rgb::ComponentBytes;
use slint::platform::{Key, PointerEventButton, WindowEvent};
use slint::{LogicalPosition, SharedString};
use ui_proto::{Element, LINE_MAX, RemoteReply, RemoteRequest, View};

use ui_headless::Picture;

use crate::items;

/// A request that only the thread of the screen can answer.
pub struct Ask {
    request: RemoteRequest,
    answer: mpsc::Sender<RemoteReply>,
}

impl Ask {
    /// Does it.
    pub fn answer(self, window: &slint::Window) {
        // Nobody waits any longer where the connection broke.
        self.answer.send(act(window, &self.request)).ok();
    }
}

/// The view that is on the panel, for those who wait for one.
#[derive(Clone, Default)]
pub struct OnPanel(Arc<(Mutex<Option<View>>, Condvar)>);

impl OnPanel {
    /// This one is, from now on.
    pub fn set(&self, view: View) {
        let (shown, changed) = &*self.0;
        *shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(view);
        changed.notify_all();
    }

    fn wait_for(&self, view: &View) {
        let (shown, changed) = &*self.0;
        let guard = shown.lock().unwrap_or_else(PoisonError::into_inner);
        let other = |shown: &mut Option<View>| shown.as_ref() != Some(view);
        // One that is never shown has been overtaken: nobody is kept waiting for it.
        drop(changed.wait_timeout_while(guard, SHOWN_MAX, other));
    }
}

/// Listens on `socket` for as long as the process runs. A socket that a dead kiosk-ui left is
/// replaced.
///
/// # Errors
/// The socket cannot be made.
pub fn listen(
    socket: &Path,
    picture: Option<Arc<Picture>>,
    panel: OnPanel,
) -> io::Result<Receiver<Ask>> {
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(socket)?;
    let (asks, asked) = async_channel::bounded(ASKS_MAX);
    thread::Builder::new().name("remote".into()).spawn(move || {
        for stream in listener.incoming().flatten() {
            let (asks, picture, panel) = (asks.clone(), picture.clone(), panel.clone());
            let server = Server { asks, picture, panel };
            let spawned = thread::Builder::new().spawn(move || server.serve(stream));
            if let Err(error) = spawned {
                tracing::warn!(%error, "a remote connection is turned away");
            }
        }
    })?;
    Ok(asked)
}

/// Does `request` to the window. Pictures are [`Picture::look`]'s.
pub fn act(window: &slint::Window, request: &RemoteRequest) -> RemoteReply {
    match request {
        RemoteRequest::Png { .. } => refused("this back end keeps no picture"),
        RemoteRequest::Shown { .. } => RemoteReply::Ok,
        RemoteRequest::Elements => RemoteReply::Elements { elements: items::elements(window) },
        RemoteRequest::Touch { x, y } => touch(window, *x, *y),
        RemoteRequest::Press { label } => match target(window, label) {
            Ok(element) => {
                let [x, y, width, height] = element.rect;
                touch(window, x + width / 2.0, y + height / 2.0)
            }
            Err(reason) => refused(&reason),
        },
        RemoteRequest::Key { key } => match key_text(key) {
            Some(text) => {
                window.dispatch_event(WindowEvent::KeyPressed { text: text.clone() });
                window.dispatch_event(WindowEvent::KeyReleased { text });
                RemoteReply::Ok
            }
            None => refused("not a key: Tab, Backtab, Enter, Escape, Backspace or one character"),
        },
    }
}

struct Server {
    asks: Sender<Ask>,
    picture: Option<Arc<Picture>>,
    panel: OnPanel,
}

impl Server {
    fn serve(&self, stream: UnixStream) {
        if let Err(error) = self.converse(&stream) {
            tracing::debug!(%error, "remote connection");
        }
    }

    fn converse(&self, stream: &UnixStream) -> io::Result<()> {
        let mut lines = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            let limit = LINE_MAX as u64 + 1;
            if lines.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let mut stream = stream;
            match (ui_proto::decode(&line), &self.picture) {
                (Err(error), _) => {
                    stream.write_all(&ui_proto::encode(&refused(&error.to_string())))?;
                    return Ok(());
                }
                (Ok(RemoteRequest::Png { after }), Some(picture)) => {
                    stream.write_all(&png_reply(picture, after)?)?;
                }
                (Ok(RemoteRequest::Shown { view }), _) => {
                    self.panel.wait_for(&view);
                    stream.write_all(&ui_proto::encode(&RemoteReply::Ok))?;
                }
                (Ok(request), _) => stream.write_all(&ui_proto::encode(&self.ask(request)))?,
            }
        }
    }

    fn ask(&self, request: RemoteRequest) -> RemoteReply {
        let (answer, answered) = mpsc::channel();
        let asked = self.asks.try_send(Ask { request, answer });
        if asked.is_err() {
            return refused("too many requests at once");
        }
        let reply = answered.recv_timeout(PATIENCE);
        reply.unwrap_or_else(|_| refused("the screen does not answer"))
    }
}

fn refused(reason: &str) -> RemoteReply {
    RemoteReply::Refused { reason: reason.to_owned() }
}

fn touch(window: &slint::Window, x: f32, y: f32) -> RemoteReply {
    let size = window.size().to_logical(window.scale_factor());
    if !(0.0..size.width).contains(&x) || !(0.0..size.height).contains(&y) {
        return refused("that is off the panel");
    }
    let position = LogicalPosition::new(x, y);
    let button = PointerEventButton::Left;
    window.dispatch_event(WindowEvent::PointerPressed { position, button });
    window.dispatch_event(WindowEvent::PointerReleased { position, button });
    window.dispatch_event(WindowEvent::PointerExited);
    RemoteReply::Ok
}

/// The one enabled element on the panel with this label, or else with a label that begins so.
fn target(window: &slint::Window, label: &str) -> Result<Element, String> {
    let all = items::elements(window);
    let size = window.size().to_logical(window.scale_factor());
    let named = |whole: bool| {
        let matches = |element: &&Element| {
            let found =
                if whole { element.label == label } else { element.label.starts_with(label) };
            found && element.enabled
        };
        all.iter().filter(matches).collect::<Vec<_>>()
    };
    // A button before a text of the same words.
    let mut found = named(true);
    if found.is_empty() {
        found = named(false);
    }
    if found.iter().any(|element| element.role == ui_proto::Role::Button) {
        found.retain(|element| element.role == ui_proto::Role::Button);
    }
    match found.as_slice() {
        [] => Err(format!("nothing enabled is called \"{label}\"")),
        [element] => {
            let [x, y, width, height] = element.rect;
            let inside =
                x >= 0.0 && y >= 0.0 && x + width <= size.width && y + height <= size.height;
            if inside {
                Ok((*element).clone())
            } else {
                Err(format!("\"{label}\" is off the panel"))
            }
        }
        several => Err(format!("{} things are called \"{label}\"", several.len())),
    }
}

fn key_text(key: &str) -> Option<SharedString> {
    let named = match key {
        "Tab" => Key::Tab,
        "Backtab" => Key::Backtab,
        "Enter" => Key::Return,
        "Escape" => Key::Escape,
        "Backspace" => Key::Backspace,
        _ => {
            let mut chars = key.chars();
            let only = chars.next()?;
            let one = chars.next().is_none() && !only.is_control();
            return one.then(|| key.into());
        }
    };
    Some(named.into())
}

fn png_reply(picture: &Picture, after: Option<u64>) -> io::Result<Vec<u8>> {
    let (frame, [width, height], pixels) = picture.look(after, PATIENCE);
    let png = encode_png(width, height, &pixels).map_err(io::Error::other)?;
    let mut reply = ui_proto::encode(&RemoteReply::Png { frame, png_bytes: png.len() });
    reply.extend_from_slice(&png);
    Ok(reply)
}

/// Fast rather than small: it crosses one socket.
///
/// # Errors
/// How long a view may take from the line to the panel.
const SHOWN_MAX: Duration = Duration::from_secs(1);
/// The size and the pixels do not agree.
pub fn encode_png(
    width: usize,
    height: usize,
    pixels: &[slint::Rgb8Pixel],
) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let mut encoder = png::Encoder::new(&mut bytes, side(width), side(height));
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fastest);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels.as_bytes())?;
    writer.finish()?;
    Ok(bytes)
}

const PATIENCE: Duration = Duration::from_secs(10);
const ASKS_MAX: usize = 64;
