//! A lesson as one self-contained page that is stepped through: [`lesson_html`]. The parts of the page are files of their
//! own in `lesson/`; the data are the simulator's (`plat_sim::lesson::Played` as JSON, described in docs/sim.md).

use crate::svg::escape;

const STYLE: &str = include_str!("lesson/page.css");
const BODY: &str = include_str!("lesson/page.html");
/// The scripts, in the order in which they run.
const SCRIPTS: [&str; 6] = [
    include_str!("lesson/model.js"),
    include_str!("lesson/space.js"),
    include_str!("lesson/walk.js"),
    include_str!("lesson/machine.js"),
    include_str!("lesson/questions.js"),
    include_str!("lesson/page.js"),
];

/// Writes a lesson as an HTML page that needs nothing from elsewhere; `json` holds everything that happens in it.
pub fn lesson_html(title: &str, json: &str) -> String {
    let title = escape(title);
    // Within a script element only `<` could end the data early.
    let data = json.replace('<', "\\u003c");
    let scripts = SCRIPTS.concat();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style></head>\n{body}\n\
         <script type=\"application/json\" id=\"data\">{data}</script>\n\
         <script>\n(function () {{\n'use strict';\n{scripts}}})();\n</script></body></html>\n",
        body = BODY.replace("{{title}}", &title).trim_end(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let page = lesson_html("Lesson <1>", r#"{"text":"</script><b>"}"#);
        for word in ["src=", "href=", "@import", "url(", "fetch(", "XMLHttp", "import("] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(page.contains("<title>Lesson &lt;1&gt;</title>"));
        assert!(page.contains(r#"{"text":"\u003c/script>\u003cb>"}"#));
        assert_eq!(page.matches("</script>").count(), 2);
    }
}
