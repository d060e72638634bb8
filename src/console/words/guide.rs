//! What to do first, by the kind of alarm, and the card to read aloud to 120, 119 or 110.

use super::Word;

pub(super) const GUIDE: &[Word] = &[
    // What to do
    (
        "guide.sos",
        "① 打老人电话 ② 不接，立即上门 ③ 情况危急，先打 120",
        "1. Call the resident 2. No answer: go at once 3. In danger: 120 first",
    ),
    (
        "guide.fall",
        "① 打老人电话 ② 不接，立即上门 ③ 不要扶起，先问 120",
        "1. Call the resident 2. No answer: go at once 3. Do not lift the person; ask 120",
    ),
    (
        "guide.smoke",
        "① 先打 119 ② 打老人电话，让其离开 ③ 不要进入烟中",
        "1. 119 first 2. Call the resident: leave the home 3. Do not enter smoke",
    ),
    (
        "guide.co",
        "① 先打 119 ② 打老人电话：开窗、离开 ③ 不要贸然进入",
        "1. 119 first 2. Call the resident: open windows, leave 3. Do not enter",
    ),
    (
        "guide.gas",
        "① 先打 119 ② 不碰开关、不按门铃、不进入 ③ 到户外再打电话",
        "1. 119 first 2. Touch no switch, ring no bell, do not enter 3. Phone from outside only",
    ),
    (
        "guide.inactivity",
        "① 打老人电话 ② 打联系人 ③ 上门敲门，必要时打 110",
        "1. Call the resident 2. Call the contacts 3. Knock at the door; 110 if needed",
    ),
    (
        "guide.life",
        "① 打老人电话 ② 不接，立即上门 ③ 情况危急，先打 120",
        "1. Call the resident 2. No answer: go at once 3. In danger: 120 first",
    ),
    (
        "guide.welfare",
        "① 打老人电话 ② 不接，打联系人 ③ 仍无回应，上门看望",
        "1. Call the resident 2. No answer: call the contacts 3. Still none: go and look",
    ),
    (
        "guide.property",
        "① 打老人电话：关总阀 ② 不接，请持钥匙人上门",
        "1. Call the resident: close the main valve 2. No answer: send the keyholder",
    ),
    (
        "guide.technical",
        "下次上门时处理；列入当日设备清单。",
        "Mend it at the next visit; it stands on the day's list.",
    ),
    // The card
    ("card", "打 120，照着念", "Call 120 and read this aloud"),
    ("card.119", "先打 119，照着念", "Call 119 first and read this aloud"),
    ("card.show", "120 急救卡", "Card for 120"),
    ("card.where", "地点", "Where"),
    ("card.who", "什么人", "Who"),
    ("card.what", "什么事", "What"),
    ("card.ill", "病史", "Conditions"),
    ("card.ask", "状态", "State"),
    ("card.conscious", "是否清醒？有无呼吸？不知道就说“不知道”。", "Conscious? Breathing? If you do not know, say so."),
    ("card.entry", "怎么进门", "Way in"),
    ("card.callback", "现场电话", "Phone there"),
    ("card.reference", "编号", "Reference"),
    ("call.120", "拨打 120 急救", "Call 120, ambulance"),
    ("call.119", "119 消防", "119 fire"),
    ("call.110", "110 公安", "110 police"),
];
