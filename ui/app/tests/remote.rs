//! The whole process but for its arguments: a real event loop, driven over the remote socket.
#![allow(clippy::unwrap_used)] // Helpers of tests.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::rc::Rc;
use std::thread;

use domain::Lang;
use kiosk_ui::remote::OnPanel;
use kiosk_ui::{Config, Ui, fixtures, fonts, remote};
use ui_headless::Headless;
use ui_proto::{Action, RemoteReply, RemoteRequest, View};

/// One test: a process has one event loop.
#[test]
fn a_session_over_the_remote_socket() {
    fonts::use_bundled();
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("remote.sock");
    let config = Config::default();
    let canvas = Headless::install(config.panel.size()).unwrap();
    let ui = Rc::new(Ui::new(&config).unwrap());
    let actions = Rc::<RefCell<Vec<Action>>>::default();
    let done = actions.clone();
    ui.on_action(move |action| done.borrow_mut().push(action));
    let panel = OnPanel::default();
    let view = fixtures::view(Lang::En, fixtures::screen("pin").unwrap());
    ui.show(view.clone());
    panel.set(view.clone());

    let asks = remote::listen(&socket, Some(canvas.picture()), panel).unwrap();
    let asked = ui.clone();
    slint::spawn_local(async move {
        while let Ok(ask) = asks.recv().await {
            ask.answer(asked.window());
        }
    })
    .unwrap();
    let workbench = thread::spawn(move || {
        let end = OnDrop;
        drive(&socket, view);
        drop(end);
    });
    ui.run().unwrap();
    workbench.join().unwrap();
    assert_eq!(*actions.borrow(), [Action::Digit(5), Action::Digit(7), Action::Cancel]);
}

/// Ends the event loop however the workbench's thread ends.
struct OnDrop;

impl Drop for OnDrop {
    fn drop(&mut self) {
        slint::quit_event_loop().ok();
    }
}

fn drive(socket: &Path, view: View) {
    let press = |label: &str| RemoteRequest::Press { label: label.to_owned() };
    let key = |key: &str| RemoteRequest::Key { key: key.to_owned() };
    let view = Box::new(view);
    assert_eq!(ask(socket, &RemoteRequest::Shown { view }), RemoteReply::Ok);
    let (first, png) = look(socket, None);
    let header = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
    assert_eq!((header.info().width, header.info().height), (1080, 1920));

    assert_eq!(ask(socket, &press("5")), RemoteReply::Ok);
    assert_eq!(ask(socket, &key("7")), RemoteReply::Ok);
    let RemoteReply::Elements { elements } = ask(socket, &RemoteRequest::Elements) else {
        panic!("elements were asked for");
    };
    let cancel = elements.iter().find(|element| element.label == "Cancel").unwrap();
    let [x, y, width, height] = cancel.rect;
    let touch = RemoteRequest::Touch { x: x + width / 2.0, y: y + height / 2.0 };
    assert_eq!(ask(socket, &touch), RemoteReply::Ok);

    // The focus ring is a new picture, which is waited for.
    assert_eq!(ask(socket, &key("Tab")), RemoteReply::Ok);
    let (second, _) = look(socket, Some(first));
    assert!(second > first);

    for refused in [
        press("Continue"),
        press("Nothing of the kind"),
        key("Hyper"),
        RemoteRequest::Touch { x: 5000.0, y: 1.0 },
    ] {
        assert!(matches!(ask(socket, &refused), RemoteReply::Refused { .. }), "{refused:?}");
    }
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(b"{\"op\":\"dance\"}\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert!(said.contains("refused"));
}

fn ask(socket: &Path, request: &RemoteRequest) -> RemoteReply {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(&ui_proto::encode(request)).unwrap();
    let mut line = Vec::new();
    BufReader::new(stream).read_until(b'\n', &mut line).unwrap();
    ui_proto::decode(&line).unwrap()
}

fn look(socket: &Path, after: Option<u64>) -> (u64, Vec<u8>) {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(&ui_proto::encode(&RemoteRequest::Png { after })).unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).unwrap();
    let RemoteReply::Png { frame, png_bytes } = ui_proto::decode(&line).unwrap() else {
        panic!("a picture was asked for");
    };
    let mut png = vec![0; png_bytes];
    reader.read_exact(&mut png).unwrap();
    (frame, png)
}
