//! Channels of every dialect as files.

use super::*;
use crate::engine::channel::Said;
use crate::engine::registry::{Language, Medium, Method};

const ALL: &str = r#"
[[channel]]
id = 'w'
site = 'a'
dialect = 'wecom'
url = 'file:w'
mention = ['all', 'lisi']
[[channel]]
id = 'd'
site = 'a'
dialect = 'dingtalk'
url = 'env:D'
secret = 'file:d'
per_minute = 15
[[channel]]
id = 'f'
site = 'a'
dialect = 'feishu'
url = 'file:f'
language = 'en'
[[channel]]
id = 's'
site = 'a'
dialect = 'slack'
url = 'file:s'
proxy = 'http://proxy:3128'
[[channel]]
id = 't'
site = 'a'
dialect = 'template'
url = 'https://sms.example.org/send'
secret = 'env:T'
medium = 'sms'
include_personal = true
[channel.template]
method = 'PUT'
headers = { Authorization = 'file:token', X-App = 'care "1"' }
body = """
{"say": {{ text }},
 "to": {{ phones }}}"""
pointer = '/code'
delivered = '0'
busy = ['9']
broken = ['4', '5']
[[channel]]
id = 'v'
site = 'a'
dialect = 'template'
url = 'https://voice.example.org/call'
medium = 'voice'
include_personal = true
[channel.template]
body = '{"say": {{ text }}, "to": {{ resident_phones + contact_phones }}, "data": {{ answer }}}'
[channel.template.answers]
token = '/data'
key = '/a~1b/key'
taken = ['1', '11']
cannot = ['2']
fine = ['8']
help = ['9']
"#;

#[test]
fn every_dialect_comes_in_and_goes_out_the_same() {
    let registry = done(&[file("x.toml", ALL)], &base());
    let channel = |id: &str| &registry.channels[id];
    let media = ["w", "d", "f", "s", "t", "desk"].map(|id| channel(id).medium());
    let answers = channel("v").template.as_ref().and_then(|template| template.answers.as_deref()).unwrap();
    assert_eq!((&*answers.key, answers.phone.as_deref(), answers.keys().count()), ("/a~1b/key", None, 5));
    assert_eq!((answers.said("11"), answers.said("9"), answers.said("0")), (Some(Said::Taken), Some(Said::Help), None));
    assert_eq!(media, [Medium::Chat, Medium::Chat, Medium::Chat, Medium::Chat, Medium::Sms, Medium::Voice]);
    let rates = ["w", "d", "f", "s", "t", "desk"].map(|id| channel(id).per_minute());
    assert_eq!(rates, [Some(20), Some(15), Some(100), Some(60), None, None]);
    assert_eq!((channel("f").language, channel("w").language), (Language::En, Language::Zh));
    assert_eq!(channel("w").mention, ["all".into(), "lisi".into()]);
    let template = channel("t").template.as_deref().unwrap();
    assert_eq!((template.method, &*template.content_type), (Method::Put, "application/json"));
    assert_eq!(template.headers["authorization"].as_ref(), "file:token");

    let text = export(&[&registry], &Paper::default()).unwrap();
    let files = [file("export.toml", &text)];
    assert_eq!(done(&files, &Registry::default()), registry, "{text}");
    let again = plan(&files, &registry).unwrap();
    assert!(again.difference.is_empty(), "{}", again.difference);
}

#[test]
fn what_is_emptied_is_told_and_what_is_left_out_stays() {
    let registry = done(&[file("x.toml", ALL)], &base());
    let table = "id,url,medium,per_minute,proxy,mention\nw,file:w2,,,,\nd,env:D,chat,,,\ns,file:s,,,,\n";
    let expected = "\
changed  channel d: medium none -> \"chat\"; per_minute 15 -> none
changed  channel s: proxy \"http://proxy:3128\" -> none
changed  channel w: mention [\"all\",\"lisi\"] -> []; url \"file:w\" -> \"file:w2\"
0 added, 3 changed, 0 unchanged";
    assert_eq!(plan(&[file("channels.csv", table)], &registry).unwrap().difference.to_string(), expected);
    let left = done(&[file("channels.csv", "id,url\nd,env:D2\n")], &registry);
    assert_eq!((left.channels["d"].per_minute, &*left.channels["d"].secret), (Some(15), "file:d"));
}

#[test]
fn a_channel_that_cannot_work_is_refused_with_its_remedy() {
    let channel = |more: &str| format!("[[channel]]\nid='c'\nsite='a'\nurl='file:c'\n{more}\n");
    let template = |more: &str| channel(&format!("dialect='template'\n[channel.template]\n{more}"));
    let answers = |more: &str| template(&format!("body='{{{{ answer }}}}'\n[channel.template.answers]\n{more}"));
    let table = [
        (channel(""), "channel[1].secret: is missing; write file:… or env:… of its whsec_… secret"),
        (channel("dialect='wecon'"), "channel[1].dialect: may not be \"wecon\"; did you mean wecom?"),
        (channel("dialect='wecom'\nsecret='file:s'"), "channel[1].secret: is of no use here: the key in the url"),
        (channel("dialect='slack'\nsecret='env:S'"), "channel[1].secret: is of no use here"),
        (channel("dialect='dingtalk'\nsecret='SEChush'"), "channel[1].secret: holds a secret in the open; write file:"),
        (
            channel("dialect='feishu'\ninclude_personal=true"),
            "channel[1].include_personal: would show names and addresses to a whole group; leave include_personal out",
        ),
        (
            channel("secret='file:s'\nmedium='chat'\ninclude_personal=true"),
            "channel[1].include_personal: would show names",
        ),
        (channel("secret='file:s'\nmention=['all']"), "channel[1].mention: is for robots only"),
        (channel("dialect='wecom'\nmention=['a b']"), "channel[1].mention: holds what is no id of a platform"),
        (channel("dialect='wecom'\nper_minute=0"), "channel[1].per_minute: is 0, but must lie in 1 to 6000"),
        (channel("dialect='wecom'\nlanguage='fr'"), "channel[1].language: may not be \"fr\""),
        (channel("dialect='wecom'\nproxy='socks5://x:1'"), "channel[1].proxy: is no proxy; write http://HOST:PORT"),
        (channel("dialect='wecom'\nproxy='http://u:hush@x:1'"), "channel[1].proxy: is no proxy"),
        (channel("dialect='template'"), "channel[1].template: is missing; describe the request in [channel.template]"),
        (
            channel("dialect='wecom'\n[channel.template]\nbody='{}'"),
            "channel[1].template: is for dialect = \"template\" only",
        ),
        (template(""), "channel[1].template.body: is missing"),
        (
            template("body='{{ txt }}'"),
            "channel[1].template: line 1: uses a variable that there is not; correct the body",
        ),
        (template("body='{\"x\": \"{{ text }}\"}'"), "channel[1].template: becomes no JSON"),
        (template("body='x'\ncontent_type='image/png'"), "channel[1].template: no values can be escaped"),
        (template("body='{}'\npointer='/code'"), "channel[1].template.pointer: needs the other"),
        (template("body='{}'\npointer='code'\ndelivered='0'"), "channel[1].template.pointer: is no JSON pointer"),
        (template("body='{}'\nheaders={Host='x'}"), "channel[1].template.headers: Host: is set by the gateway"),
        (template("body='{}'\nheaders={'a b'='x'}"), "channel[1].template.headers: a b: is no name of a header"),
        (template("body='{}'\nheaders={a='字'}"), "channel[1].template.headers: a: cannot stand in a header"),
        (template("body='{}'\nheaders={a=1}"), "channel[1].template.headers.a: is"),
        (answers("token='t'\nkey='/k'\ntaken=['1']"), "channel[1].template.answers.token: is no JSON pointer"),
        (answers("token='/t'\nkey=''\ntaken=['1']"), "channel[1].template.answers.key: is no JSON pointer"),
        (answers("token='/t'\nkey='/a~2'\ntaken=['1']"), "channel[1].template.answers.key: is no JSON pointer"),
        (
            answers("token='/t'\nkey='/k'\nphone='p'\ntaken=['1']"),
            "channel[1].template.answers.phone: is no JSON pointer",
        ),
        (answers("token='/t'\ntaken=['1']"), "channel[1].template.answers.key: is missing"),
        (answers("token='/t'\nkey='/k'"), "channel[1].template.answers.taken: is empty, as are cannot, fine and help"),
        (
            answers("token='/t'\nkey='/k'\ntaken=['1']\nhelp=['1']"),
            "channel[1].template.answers.taken: or another list has \"1\" twice",
        ),
        (
            answers("token='/t'\nkey='/k'\ntaken=['123456789012345678901234567890123']"),
            "channel[1].template.answers.taken: holds what is no key",
        ),
        (
            answers("token='/t'\nkey='/k'\ntakn=['1']"),
            "channel[1].template.answers.takn: is not known; did you mean taken?",
        ),
        (
            template("body='{}'\n[channel.template.answers]\ntoken='/t'\nkey='/k'\ntaken=['1']"),
            "channel[1].template: does not bring {{ answer }} along",
        ),
        (template("body='{}'\nboddy='{}'"), "channel[1].template.boddy: is not known; did you mean body?"),
    ];
    for (text, expected) in table {
        let found = refused(&[file("x.toml", &text)], &base());
        assert!(found.contains(expected), "{expected}\nis not in\n{found}");
        assert!(!found.contains("hush"), "{found}");
    }
}

#[test]
fn the_homes_own_people_are_called_with_its_phones_and_end_no_ladder() {
    let own = |id: &str| format!("[[responder]]\nid='{id}'\nsite='a'\nname='X'\nchannels=['v']\n");
    let rung = |to: &str| format!("{{ name = '{to}', to = ['{to}'], wait_s = 60 }}");
    let ladder = |id: &str, rungs: &[&str]| {
        let rungs: Vec<String> = rungs.iter().map(|to| rung(to)).collect();
        format!("[[ladder]]\nid='{id}'\nsite='a'\nrepeat_s=120\nrung=[{}]\n", rungs.join(", "))
    };
    let all = |more: &str| [ALL, &own("family"), &own("resident"), more].concat();
    let registry = done(&[file("x.toml", &all(&ladder("l", &["resident", "family", "op"])))], &base());
    assert_eq!(registry.ladders["l"].rungs.len(), 3);
    for last in ["resident", "family"] {
        let found = refused(&[file("x.toml", &all(&ladder("l", &["op", last])))], &base());
        assert!(found.contains(&format!("ends with \"{last}\", which reaches nobody")), "{found}");
    }
    // The desk speaks, but knows nobody's phone.
    let blind = all("").replace("channels=['v']", "channels=['desk']");
    let found = refused(&[file("x.toml", &blind)], &base());
    for id in ["family", "resident"] {
        let expected = format!("channels: names desk, which has no phones of the home, and \"{id}\" is the home's own");
        assert!(found.contains(&expected), "{found}");
    }
    // Nor does their voice stand for the one that a life ladder has to end with.
    let text = all("[[channel]]\nid='m'\nsite='a'\ndialect='standard'\nurl='file:m'\nsecret='file:m'\n\
        [[responder]]\nid='mute'\nsite='a'\nname='M'\nchannels=['m']\n[[home]]\nid='h1'\nsite='a'\n[home.ladder]\nlife='life'\n\
        [[ladder]]\nid='life'\nsite='a'\nrepeat_s=120\nrung=[{ name = 'both', to = ['mute', 'family'], wait_s = 60 }]\n");
    let found = refused(&[file("x.toml", &text)], &base());
    assert!(found.contains("ends with \"both\", which names nobody who is reached by voice"), "{found}");
}

#[test]
fn the_key_of_a_robot_that_stands_in_the_open_is_told_of() {
    let channel = |dialect: &str, url: &str| {
        let text = format!("[[channel]]\nid='c'\nsite='a'\ndialect='{dialect}'\nurl='{url}'\nsecret='file:s'\n");
        plan(&[file("x.toml", &text)], &base()).unwrap().warnings.iter().any(|w| w.contains("a robot's url is its key"))
    };
    assert!(channel("dingtalk", "https://oapi.dingtalk.com/robot/send?access_token=1"));
    assert!(!channel("dingtalk", "file:url"));
    assert!(!channel("standard", "https://hooks.example.org/1"));
}
