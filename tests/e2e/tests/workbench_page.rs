//! The workbench's page in a real browser: what a developer sees and does there.

use std::process::Stdio;
use std::time::{Duration, Instant};

use e2e::Bench;
use fantoccini::actions::{InputSource as _, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::elements::Element;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_kiosk_is_operated_from_the_page() {
    let Some(browser) = Browser::start().await else {
        println!("SKIPPED: workbench_page: chromedriver is not installed");
        return;
    };
    let bench = tokio::task::spawn_blocking(Bench::start).await.expect("a town");
    let page = &browser.client;
    page.goto(bench.url()).await.expect("the page opens");
    find(page, "#picture:not([hidden])").await;
    says(page, "#screen-name", "attract").await;
    says(page, "#agree", "they agree").await;

    // A card from the tray, its PIN from the keyboard.
    click(page, "[data-card=ana]").await;
    find(page, "[data-card=ana][aria-pressed=true]").await;
    says(page, "#screen-name", "pin").await;
    let pin = bench.card("ana").pin;
    for (typed, digit) in (1..).zip(pin.chars()) {
        let glass = find(page, "#glass").await;
        glass.send_keys(&digit.to_string()).await.expect("a key");
        bench.wait_screen_with("pin", &[("digits", &i32::to_string(&typed))]);
    }
    find(page, "#glass").await.send_keys(ENTER).await.expect("a key");
    says(page, "#screen-name", "home").await;

    // A touch on the picture, a note from the purse.
    bench.wait_screen_with("home", &[("recharge_off", "null")]);
    touch_primary(page, &bench).await;
    says(page, "#screen-name", "inserting").await;
    says(page, "#port-notes .says", "takes notes").await;
    click(page, "[aria-label='Insert a note of 20 euro']").await;
    bench.wait_screen_with("inserting", &[("inserted", "2000")]);
    says(page, "#ledger", "€20.00").await;

    // A fault is made and mended.
    click(page, "#faults-of-printer [data-name=cover_open]").await;
    find(page, "[data-name=cover_open][aria-checked=true]").await;
    says(page, "#port-paper .says", "cover open").await;
    click(page, "#faults-of-printer [data-name=cover_open]").await;
    says(page, "#port-paper .says", "ready").await;

    // On to the receipt, which comes out on paper.
    touch_primary(page, &bench).await;
    says(page, "#screen-name", "review").await;
    touch_primary(page, &bench).await;
    says(page, "#screen-name", "done").await;
    touch_primary(page, &bench).await;
    find(page, "#paper img[alt*='20,00']").await;
    says(page, "#agree", "they agree").await;

    // The power of one process, and what becomes of the screen.
    click(page, "#plugs [data-name=kiosk-ui]").await;
    says(page, "#dark", "The screen is dark.").await;
    click(page, "#plugs [data-name=kiosk-ui]").await;
    find(page, "#picture:not([hidden])").await;

    browser.client.clone().close().await.expect("the browser closes");
}

/// chromedriver and the browser it drives; both are gone when this is dropped.
struct Browser {
    client: Client,
    _driver: Child,
}

impl Browser {
    /// `None` where no chromedriver is installed.
    async fn start() -> Option<Self> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(driver.stdout.take().expect("it is piped")).lines();
        let port = loop {
            let line = lines.next_line().await.expect("it speaks UTF-8");
            let line = line.expect("chromedriver says its port before it ends");
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a browser starts");
        Some(Self { client, _driver: driver })
    }
}

/// Works as root in a container, without a display, and asks nobody on the Internet anything.
fn capabilities() -> Capabilities {
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,800",
    ];
    let mut capabilities = Capabilities::new();
    // The page's event stream never ends, and so would the wait for the page.
    capabilities.insert("pageLoadStrategy".to_owned(), json!("eager"));
    capabilities.insert("goog:chromeOptions".to_owned(), json!({"args": arguments}));
    capabilities
}

async fn find(page: &Client, css: &str) -> Element {
    let found = page.wait().at_most(PATIENCE).for_element(Locator::Css(css));
    found.await.unwrap_or_else(|error| panic!("{css}: {error}"))
}

async fn click(page: &Client, css: &str) {
    let element = find(page, css).await;
    element.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
}

/// Waits until the element says `text`.
async fn says(page: &Client, css: &str, text: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let said = find(page, css).await.text().await.unwrap_or_default();
        if said.contains(text) {
            return;
        }
        assert!(Instant::now() < deadline, "{css} says {said:?}, not {text:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Clicks on the picture of the screen where the kiosk has its first button: the one action that
/// the screen is about.
async fn touch_primary(page: &Client, bench: &Bench) {
    let elements = bench.get("api/screen/elements");
    let mut elements = elements.as_array().expect("a list").iter();
    let button = elements.find(|element| element["role"] == "button");
    let rect = &button.expect("a screen has a way on")["rect"];
    let side = |at: usize| rect[at].as_f64().expect("pixels");
    let middle = (side(0) + side(2) / 2.0, side(1) + side(3) / 2.0);

    let picture = find(page, "#picture").await;
    let (_, _, width, height) = picture.rectangle().await.expect("it is laid out");
    let scale = width / PANEL_WIDTH;
    // WebDriver counts from the element's middle.
    let action = MouseActions::new("finger".to_owned())
        .then(PointerAction::MoveToElement {
            element: picture,
            duration: None,
            x: middle.0 * scale - width / 2.0,
            y: middle.1 * scale - height / 2.0,
        })
        .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
        .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
    page.perform_actions(action).await.expect("a click");
}

/// Of the workbench's default panel, in pixels.
const PANEL_WIDTH: f64 = 1080.0;

/// How long a busy machine may take to show something.
const PATIENCE: Duration = Duration::from_secs(30);

const ENTER: &str = "\u{E007}";
