//! A caseworker's phone: one page of the browser with cookies of its own, in a language, by day or by night, touched with a thumb.

use super::chromium::{Browser, PATIENCE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The width of a common phone, in CSS pixels, and its height.
const SIZE: (u32, u32) = (390, 844);

/// How a phone is set.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// As the browser asks for it: `zh-CN` or `en`.
    pub lang: &'static str,
    pub dark: bool,
}

impl Look {
    pub const fn new(lang: &'static str, dark: bool) -> Look {
        Look { lang, dark }
    }

    pub fn all() -> [Look; 4] {
        [("zh-CN", false), ("zh-CN", true), ("en", false), ("en", true)].map(|(lang, dark)| Look::new(lang, dark))
    }

    /// One of two texts: in Chinese, in English.
    pub fn say(self, zh: &'static str, en: &'static str) -> &'static str {
        if self.lang == "en" { en } else { zh }
    }
}

/// The folder that pictures go to, where somebody wants them.
fn pictures() -> Option<PathBuf> {
    std::env::var_os("HEARTHWATCH_SHOTS").map(PathBuf::from)
}

pub struct Phone {
    browser: Arc<Browser>,
    context: String,
    session: String,
    pub look: Look,
}

impl Drop for Phone {
    fn drop(&mut self) {
        let context = json!({"browserContextId": self.context});
        self.browser.post(None, "Target.disposeBrowserContext", context, None);
    }
}

impl Phone {
    pub async fn new(look: Look) -> Phone {
        let browser = Browser::shared();
        let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
        let context = browser.order(None, "Target.createBrowserContext", json!({})).await.unwrap();
        let context = text(&context, "browserContextId");
        let page = json!({"url": "about:blank", "browserContextId": context});
        let page = browser.order(None, "Target.createTarget", page).await.unwrap();
        let attach = json!({"targetId": page["targetId"], "flatten": true});
        let session = text(&browser.order(None, "Target.attachToTarget", attach).await.unwrap(), "sessionId");
        let agent = text(&browser.order(None, "Browser.getVersion", json!({})).await.unwrap(), "userAgent");
        let phone = Phone { browser, context, session, look };
        let (width, height) = SIZE;
        let scheme = if look.dark { "dark" } else { "light" };
        let orders = [
            ("Page.enable", json!({})),
            ("Runtime.enable", json!({})),
            ("Log.enable", json!({})),
            (
                "Emulation.setDeviceMetricsOverride",
                json!({"width": width, "height": height, "deviceScaleFactor": if pictures().is_some() { 2 } else { 1 }, "mobile": true}),
            ),
            ("Emulation.setTouchEmulationEnabled", json!({"enabled": true})),
            ("Emulation.setUserAgentOverride", json!({"userAgent": agent, "acceptLanguage": look.lang})),
            ("Emulation.setLocaleOverride", json!({"locale": look.lang})),
            ("Emulation.setTimezoneOverride", json!({"timezoneId": "Asia/Shanghai"})),
            ("Emulation.setEmulatedMedia", json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]})),
            // Two tests have each their page in front.
            ("Emulation.setFocusEmulationEnabled", json!({"enabled": true})),
        ];
        for (method, params) in orders {
            phone.order(method, params).await;
        }
        phone
    }

    async fn order(&self, method: &str, params: Value) -> Value {
        let answer = self.browser.order(Some(&self.session), method, params).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Goes to an address.
    pub async fn open(&self, url: &str) {
        let gone = self.order("Page.navigate", json!({"url": url})).await;
        assert!(gone["errorText"].is_null(), "{url}: {gone}");
    }

    /// The value of an expression; none while the page is about to be another, or where the expression throws.
    async fn try_js(&self, expression: &str) -> Result<Value, Value> {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.browser.order(Some(&self.session), "Runtime.evaluate", asked).await?;
        if answer["exceptionDetails"].is_null() { Ok(answer["result"]["value"].take()) } else { Err(answer) }
    }

    pub async fn js(&self, expression: &str) -> Value {
        self.try_js(expression).await.unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Waits until an expression is true.
    pub async fn until(&self, expression: &str) {
        let since = Instant::now();
        while self.try_js(expression).await != Ok(Value::Bool(true)) {
            if since.elapsed() > PATIENCE {
                let faults = self.browser.faults(&self.session);
                panic!("{:?}: not within {PATIENCE:?}: {expression}\n{}\n{faults:?}", self.look, self.text().await);
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Waits until the page says something that can be read on it.
    pub async fn until_says(&self, words: &str) {
        self.until(&format!("document.body?.innerText.includes({})", json!(words))).await;
    }

    /// What can be read on the page.
    pub async fn text(&self) -> String {
        self.js("document.body.innerText").await.as_str().unwrap().to_owned()
    }

    /// Everything that stands in the document, shown or not, but for the page's dictionary and the numbers of its counts.
    pub async fn whole(&self) -> String {
        let whole = "[document.title, document.body.textContent, ...[...document.querySelectorAll('*')]
            .flatMap((e) => [...e.attributes]).filter((a) => !['data-words', 'data-since'].includes(a.name)).map((a) => a.value)].join('\\n')";
        self.js(whole).await.as_str().unwrap().to_owned()
    }

    /// Touches the button or link with this text as a thumb does, and scrolls to it first where it has to. What lies over it would get the
    /// touch, so nothing may.
    pub async fn tap(&self, words: &str) {
        let find = format!(
            "[...document.querySelectorAll('button:enabled, a')].find((e) => e.innerText.trim() === {})",
            json!(words)
        );
        self.until(&format!("Boolean({find})")).await;
        let place = format!(
            "(() => {{
                const button = {find};
                const touched = () => {{
                    const box = button.getBoundingClientRect();
                    const at = {{ x: box.x + box.width / 2, y: box.y + box.height / 2 }};
                    const there = document.elementFromPoint(at.x, at.y);
                    return {{ at, covered: button.contains(there) ? null : there?.outerHTML.slice(0, 200) ?? 'off the screen' }};
                }};
                if (touched().covered) button.scrollIntoView({{ block: 'center' }});
                return touched();
            }})()"
        );
        let place = self.js(&place).await;
        assert_eq!(place["covered"], Value::Null, "{words}");
        self.order("Input.dispatchTouchEvent", json!({"type": "touchStart", "touchPoints": [place["at"]]})).await;
        self.order("Input.dispatchTouchEvent", json!({"type": "touchEnd", "touchPoints": []})).await;
    }

    /// Presses keys that write.
    pub async fn write(&self, text: &str) {
        for key in text.chars().map(String::from) {
            self.order("Input.dispatchKeyEvent", json!({"type": "keyDown", "key": key, "text": key})).await;
            self.order("Input.dispatchKeyEvent", json!({"type": "keyUp", "key": key})).await;
        }
    }

    /// Presses `Tab` or `Enter`.
    pub async fn key(&self, key: &str) {
        let (code, text) = if key == "Tab" { (9, "") } else { (13, "\r") };
        let down = json!({"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
        self.order("Input.dispatchKeyEvent", down).await;
        let up = json!({"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code});
        self.order("Input.dispatchKeyEvent", up).await;
    }

    /// Presses `Tab` until what has the focus has this text.
    pub async fn tab_to(&self, words: &str) {
        let mut passed = Vec::new();
        while passed.last().is_none_or(|last| last != words) {
            assert!(passed.len() < 60, "{words} is not among {passed:?}");
            self.key("Tab").await;
            let focused = self.js("document.activeElement.innerText?.trim() ?? ''").await;
            passed.push(focused.as_str().unwrap().to_owned());
        }
    }

    /// The page can be read and used with a thumb, as it is now: no scrolling sideways, large buttons with their words inside, and
    /// enough contrast. Keeps a picture of it where one is wanted.
    pub async fn is_fit(&self, state: &str) {
        let name = format!("{}-{}-{state}", self.look.say("zh", "en"), if self.look.dark { "dark" } else { "light" });
        self.picture(&name).await;
        let wrong = self.js(&include_str!("fit.js").replace("WIDTH", &SIZE.0.to_string())).await;
        assert_eq!(wrong, json!([]), "{name}");
        assert_eq!(self.js("document.documentElement.lang").await, self.look.lang, "{name}");
        let faults = self.browser.faults(&self.session);
        assert!(faults.is_empty(), "{name}: {faults:?}");
    }

    /// What is on the screen, and the whole page where it is longer; there the buttons lie where the screen ends.
    async fn picture(&self, name: &str) {
        let Some(folder) = pictures() else { return };
        std::fs::create_dir_all(&folder).unwrap();
        let long = self.js("document.documentElement.scrollHeight > innerHeight").await == true;
        for (whole, end) in [(false, ""), (true, "-whole")] {
            if whole && !long {
                continue;
            }
            let shot =
                self.order("Page.captureScreenshot", json!({"format": "png", "captureBeyondViewport": whole})).await;
            let png = BASE64.decode(shot["data"].as_str().unwrap()).unwrap();
            std::fs::write(folder.join(format!("{name}{end}.png")), png).unwrap();
        }
    }
}
