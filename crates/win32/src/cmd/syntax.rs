//! The interpreter's language: one logical line (already `%`-expanded) becomes a tree. Key types: [`Node`], [`parse`].
//!
//! Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/cmd>; where that is silent, the
//! published observations of the parser: <https://stackoverflow.com/a/4095133>.

/// A file or handle that a stream goes to or comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file by name, which is expanded when the command runs.
    File(String),
    /// Another stream's place: `2>&1`.
    Stream(u32),
}

/// A redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// Which stream: 0 to 9.
    pub stream: u32,
    /// Whether it is read.
    pub is_input: bool,
    /// Whether it is added to the file's end.
    pub appends: bool,
    /// Where it goes to, or comes from.
    pub place: Place,
}

/// How two texts or numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`: as texts.
    Same,
    /// `EQU`.
    Equal,
    /// `NEQ`.
    NotEqual,
    /// `LSS`.
    Less,
    /// `LEQ`.
    LessOrEqual,
    /// `GTR`.
    Greater,
    /// `GEQ`.
    GreaterOrEqual,
}

/// What `if` asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `errorlevel N`: at least N.
    ErrorLevel(String),
    /// `exist NAME`.
    Exist(String),
    /// `defined NAME`.
    Defined(String),
    /// `cmdextversion N`.
    Extensions(String),
    /// Two operands.
    Compare(String, Comparison, String),
}

/// What a `for` goes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForKind {
    /// Words and files.
    Plain,
    /// `/d`: directories.
    Directories,
    /// `/r [ROOT]`: the same in every directory below.
    Recursive(String),
    /// `/l`: numbers.
    Numbers,
    /// `/f ["OPTIONS"]`: lines.
    Lines(String),
}

/// A command, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// One command: its text without escapes.
    Simple(String),
    /// Commands in parentheses.
    Block(Vec<Node>),
    /// `if`.
    If {
        /// `/i`.
        ignores_case: bool,
        /// `not`.
        is_negated: bool,
        /// The question.
        condition: Condition,
        /// What is done when it holds.
        then: Box<Node>,
        /// What is done when not.
        otherwise: Option<Box<Node>>,
    },
    /// `for`.
    For {
        /// Over what.
        kind: ForKind,
        /// The variable's letter.
        variable: char,
        /// The text in parentheses.
        set: String,
        /// What is done each time.
        body: Box<Node>,
    },
    /// A command with redirections.
    Redirected(Box<Node>, Vec<Redirect>),
    /// `a & b`.
    Then(Box<Node>, Box<Node>),
    /// `a && b`.
    And(Box<Node>, Box<Node>),
    /// `a || b`.
    Or(Box<Node>, Box<Node>),
    /// `a | b`.
    Pipe(Box<Node>, Box<Node>),
    /// A command that is not shown: `@a`.
    Quiet(Box<Node>),
}

/// Why a line is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Something stands where it may not; what it is.
    Unexpected(String),
    /// The line ends too early: one more line may help.
    NeedsMore,
}

/// Parses a line; `None` when it holds no command.
///
/// # Errors
/// [`Wrong`].
pub fn parse(text: &str) -> Result<Option<Node>, Wrong> {
    let mut parser = Parser { text: text.chars().collect(), at: 0, depth: 0 };
    parser.skip_blank_lines();
    if parser.is_at_end() {
        return Ok(None);
    }
    let node = parser.list()?;
    parser.skip_blank_lines();
    match parser.peek() {
        None => Ok(Some(node)),
        // Whatever follows a lonely closing parenthesis is a remark.
        Some(')') => Ok(Some(node)),
        Some(other) => Err(Wrong::Unexpected(other.to_string())),
    }
}

struct Parser {
    text: Vec<char>,
    at: usize,
    depth: usize,
}

/// Blanks between the words of a command.
pub fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | ',' | ';' | '=' | '\u{b}' | '\u{c}' | '\u{ff}')
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn peek_at(&self, distance: usize) -> Option<char> {
        self.text.get(self.at + distance).copied()
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
    }

    fn skip_blank_lines(&mut self) {
        while self.peek().is_some_and(|c| is_blank(c) || c == '\n') {
            self.at += 1;
        }
    }

    /// Whether the word comes next, in any case of letters, ended by what cannot be part of it.
    fn is_word(&self, word: &str) -> bool {
        let next: String = self.text[self.at..].iter().take(word.len()).collect();
        let after = self.peek_at(word.len());
        let ends = after.is_none_or(|c| is_blank(c) || "\n()&|<>/\"".contains(c));
        next.eq_ignore_ascii_case(word) && ends
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_next = self.is_word(word);
        if is_next {
            self.at += word.len();
        }
        is_next
    }

    /// `a & b && c || d | e`: `&` binds least, the pipe most.
    fn list(&mut self) -> Result<Node, Wrong> {
        let mut left = self.alternatives()?;
        loop {
            self.skip_blanks();
            if self.peek() != Some('&') {
                return Ok(left);
            }
            self.at += 1;
            self.skip_blanks();
            if self.peek().is_none_or(|c| c == '\n' || (c == ')' && self.depth > 0)) {
                return Ok(left);
            }
            left = Node::Then(Box::new(left), Box::new(self.alternatives()?));
        }
    }

    fn alternatives(&mut self) -> Result<Node, Wrong> {
        self.joined('|', Self::conjunction, Node::Or)
    }

    fn conjunction(&mut self) -> Result<Node, Wrong> {
        self.joined('&', Self::pipeline, Node::And)
    }

    /// Reads what a sign that stands twice joins, from left to right.
    fn joined(
        &mut self,
        sign: char,
        part: fn(&mut Self) -> Result<Node, Wrong>,
        join: fn(Box<Node>, Box<Node>) -> Node,
    ) -> Result<Node, Wrong> {
        let mut left = part(self)?;
        loop {
            self.skip_blanks();
            if self.peek() != Some(sign) || self.peek_at(1) != Some(sign) {
                return Ok(left);
            }
            self.at += 2;
            left = join(Box::new(left), Box::new(part(self)?));
        }
    }

    fn pipeline(&mut self) -> Result<Node, Wrong> {
        let left = self.command()?;
        self.skip_blanks();
        if self.peek() != Some('|') || self.peek_at(1) == Some('|') {
            return Ok(left);
        }
        self.at += 1;
        Ok(Node::Pipe(Box::new(left), Box::new(self.pipeline()?)))
    }

    fn command(&mut self) -> Result<Node, Wrong> {
        self.skip_blanks();
        let mut redirects = Vec::new();
        while let Some(redirect) = self.redirect()? {
            redirects.push(redirect);
            self.skip_blanks();
        }
        let node = match self.peek() {
            None => return Err(Wrong::Unexpected(String::new())),
            Some('@') => {
                self.at += 1;
                let inner = self.command()?;
                return Ok(Node::Quiet(Box::new(inner)));
            }
            Some('(') => self.block()?,
            Some(c @ ('&' | '|')) => return Err(Wrong::Unexpected(c.to_string())),
            Some(')') if self.depth > 0 => return Err(Wrong::Unexpected(")".into())),
            Some(_) if self.take_word("if") => return self.if_command(),
            Some(_) if self.take_word("for") => return self.for_command(),
            Some(_) if self.is_word("rem") => self.remark(),
            Some(':') => self.label(),
            Some(_) => self.simple(&mut redirects)?,
        };
        if matches!(node, Node::Block(_)) {
            loop {
                self.skip_blanks();
                match self.redirect()? {
                    Some(redirect) => redirects.push(redirect),
                    None => break,
                }
            }
        }
        Ok(if redirects.is_empty() { node } else { Node::Redirected(Box::new(node), redirects) })
    }

    fn remark(&mut self) -> Node {
        let start = self.at;
        while self.peek().is_some_and(|c| c != '\n') {
            self.at += 1;
        }
        Node::Simple(self.text[start..self.at].iter().collect())
    }

    /// A label inside a block is a remark.
    fn label(&mut self) -> Node {
        self.remark();
        Node::Simple("rem".into())
    }

    fn block(&mut self) -> Result<Node, Wrong> {
        self.at += 1;
        self.depth += 1;
        let mut nodes = Vec::new();
        loop {
            self.skip_blank_lines();
            match self.peek() {
                None => return Err(Wrong::NeedsMore),
                Some(')') => {
                    self.at += 1;
                    self.depth -= 1;
                    return Ok(Node::Block(nodes));
                }
                Some(_) => nodes.push(self.list()?),
            }
            match self.peek() {
                None => return Err(Wrong::NeedsMore),
                Some('\n' | ')') => {}
                Some(other) => return Err(Wrong::Unexpected(other.to_string())),
            }
        }
    }

    /// Reads a redirection if one comes next: an optional digit, `<`, `>` or `>>`, and a place.
    fn redirect(&mut self) -> Result<Option<Redirect>, Wrong> {
        let digit = self.peek().filter(char::is_ascii_digit);
        let sign = if digit.is_some() { self.peek_at(1) } else { self.peek() };
        let Some(sign) = sign.filter(|c| matches!(c, '<' | '>')) else { return Ok(None) };
        self.at += if digit.is_some() { 2 } else { 1 };
        let is_input = sign == '<';
        let appends = !is_input && self.peek() == Some('>');
        if appends {
            self.at += 1;
        }
        let stream = digit.and_then(|c| c.to_digit(10)).unwrap_or(u32::from(!is_input));
        if self.peek() == Some('&') {
            let of = self.peek_at(1).and_then(|c| c.to_digit(10));
            let of = of.ok_or_else(|| Wrong::Unexpected("&".into()))?;
            self.at += 2;
            return Ok(Some(Redirect { stream, is_input, appends, place: Place::Stream(of) }));
        }
        self.skip_blanks();
        let name = self.word();
        if name.is_empty() {
            let next = self.peek().filter(|&c| c != '\n').map(String::from).unwrap_or_default();
            return Err(Wrong::Unexpected(next));
        }
        Ok(Some(Redirect { stream, is_input, appends, place: Place::File(name) }))
    }

    /// Reads one word with its quotes, escapes resolved.
    fn word(&mut self) -> String {
        let mut word = String::new();
        let mut quoted = false;
        while let Some(c) = self.peek() {
            match c {
                '\n' => break,
                '"' => quoted = !quoted,
                '^' if !quoted => {
                    self.at += 1;
                    if let Some(next) = self.peek().filter(|&c| c != '\n') {
                        word.push(next);
                        self.at += 1;
                    }
                    continue;
                }
                c if !quoted && (is_blank(c) || "&|<>()".contains(c)) => break,
                _ => {}
            }
            word.push(c);
            self.at += 1;
        }
        word
    }

    fn simple(&mut self, redirects: &mut Vec<Redirect>) -> Result<Node, Wrong> {
        let mut text = String::new();
        let mut quoted = false;
        while let Some(c) = self.peek() {
            if c == '\n' {
                break;
            }
            if quoted {
                quoted = c != '"';
                text.push(c);
                self.at += 1;
                continue;
            }
            match c {
                '"' => quoted = true,
                '^' => {
                    self.at += 1;
                    match self.peek() {
                        None => {}
                        // The next line goes on; its first character is taken as it is.
                        Some('\n') => {
                            self.at += 1;
                            if let Some(next) = self.peek().filter(|&c| c != '\n') {
                                text.push(next);
                                self.at += 1;
                            }
                        }
                        Some(next) => {
                            text.push(next);
                            self.at += 1;
                        }
                    }
                    continue;
                }
                '&' | '|' => break,
                ')' if self.depth > 0 => break,
                '<' | '>' => {
                    // A digit counts as the stream's number when it stands alone.
                    let mut before = text.chars().rev();
                    let digit = before.next().is_some_and(|c| c.is_ascii_digit());
                    if digit && before.next().is_none_or(is_blank) {
                        text.pop();
                        self.at -= 1;
                    }
                    match self.redirect()? {
                        Some(redirect) => redirects.push(redirect),
                        None => return Err(Wrong::Unexpected(c.to_string())),
                    }
                    continue;
                }
                _ => {}
            }
            text.push(c);
            self.at += 1;
        }
        Ok(Node::Simple(text))
    }

    fn if_command(&mut self) -> Result<Node, Wrong> {
        let (mut ignores_case, mut is_negated) = (false, false);
        loop {
            self.skip_blanks();
            if self.peek() == Some('/') && self.peek_at(1).is_some_and(|c| c.eq_ignore_ascii_case(&'i')) {
                self.at += 2;
                ignores_case = true;
            } else if self.take_word("not") {
                is_negated = !is_negated;
            } else {
                break;
            }
        }
        let condition = self.condition()?;
        let then = Box::new(self.branch()?);
        let mark = self.at;
        self.skip_blanks();
        let otherwise = if self.take_word("else") {
            Some(Box::new(self.branch()?))
        } else {
            self.at = mark;
            None
        };
        Ok(Node::If { ignores_case, is_negated, condition, then, otherwise })
    }

    /// A branch of `if` or the body of `for`: without parentheses it takes all that follows on the line.
    fn branch(&mut self) -> Result<Node, Wrong> {
        self.skip_blanks();
        if self.is_at_end() || self.peek() == Some('\n') {
            return Err(Wrong::Unexpected(String::new()));
        }
        if self.peek() == Some('(') {
            let block = self.command()?;
            return Ok(block);
        }
        self.list()
    }

    fn condition(&mut self) -> Result<Condition, Wrong> {
        type Make = fn(String) -> Condition;
        let unary: [(&str, Make); 4] = [
            ("errorlevel", Condition::ErrorLevel),
            ("exist", Condition::Exist),
            ("defined", Condition::Defined),
            ("cmdextversion", Condition::Extensions),
        ];
        for (word, make) in unary {
            if self.take_word(word) {
                self.skip_blanks();
                return Ok(make(self.operand()?));
            }
        }
        let left = self.operand()?;
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
        if self.peek() == Some('=') && self.peek_at(1) == Some('=') {
            self.at += 2;
            self.skip_blanks();
            return Ok(Condition::Compare(left, Comparison::Same, self.operand()?));
        }
        let names = [
            ("equ", Comparison::Equal),
            ("neq", Comparison::NotEqual),
            ("lss", Comparison::Less),
            ("leq", Comparison::LessOrEqual),
            ("gtr", Comparison::Greater),
            ("geq", Comparison::GreaterOrEqual),
        ];
        for (name, comparison) in names {
            if self.take_word(name) {
                self.skip_blanks();
                return Ok(Condition::Compare(left, comparison, self.operand()?));
            }
        }
        Err(Wrong::Unexpected(self.word()))
    }

    /// An operand of `if`: a word; parentheses belong to it.
    fn operand(&mut self) -> Result<String, Wrong> {
        let mut word = String::new();
        let mut quoted = false;
        while let Some(c) = self.peek() {
            match c {
                '\n' => break,
                '"' => quoted = !quoted,
                '^' if !quoted => {
                    self.at += 1;
                    if let Some(next) = self.peek() {
                        word.push(next);
                        self.at += 1;
                    }
                    continue;
                }
                c if !quoted && (is_blank(c) || "&|<>".contains(c)) => break,
                _ => {}
            }
            word.push(c);
            self.at += 1;
        }
        if word.is_empty() {
            let next = self.peek().filter(|&c| c != '\n').map(String::from).unwrap_or_default();
            return Err(Wrong::Unexpected(next));
        }
        Ok(word)
    }

    fn for_command(&mut self) -> Result<Node, Wrong> {
        self.skip_blanks();
        let mut kind = ForKind::Plain;
        if self.peek() == Some('/') {
            let letter = self.peek_at(1).unwrap_or(' ').to_ascii_lowercase();
            self.at += 2;
            self.skip_blanks();
            kind = match letter {
                'd' => ForKind::Directories,
                'l' => ForKind::Numbers,
                'r' if self.peek() != Some('%') => ForKind::Recursive(self.word()),
                'r' => ForKind::Recursive(String::new()),
                'f' if self.peek() != Some('%') => ForKind::Lines(self.word()),
                'f' => ForKind::Lines(String::new()),
                other => return Err(Wrong::Unexpected(format!("/{other}"))),
            };
            self.skip_blanks();
        }
        let variable = match (self.peek(), self.peek_at(1)) {
            (Some('%'), Some(letter)) if !is_blank(letter) => letter,
            _ => return Err(Wrong::Unexpected(self.word())),
        };
        self.at += 2;
        self.skip_blanks();
        if !self.take_word("in") {
            return Err(Wrong::Unexpected(self.word()));
        }
        self.skip_blank_lines();
        let set = self.for_set(matches!(kind, ForKind::Lines(_)))?;
        self.skip_blanks();
        if !self.take_word("do") {
            return Err(Wrong::Unexpected(self.word()));
        }
        let body = Box::new(self.branch()?);
        Ok(Node::For { kind, variable, set, body })
    }

    /// The text between the parentheses; escapes are resolved outside quotes.
    fn for_set(&mut self, keeps_lines: bool) -> Result<String, Wrong> {
        if self.peek() != Some('(') {
            return Err(Wrong::Unexpected(self.word()));
        }
        self.at += 1;
        let (mut set, mut quoted) = (String::new(), false);
        loop {
            let Some(c) = self.peek() else { return Err(Wrong::NeedsMore) };
            self.at += 1;
            match c {
                '"' => quoted = !quoted,
                '^' if !quoted => {
                    let next = self.peek().ok_or(Wrong::NeedsMore)?;
                    self.at += 1;
                    set.push(next);
                    continue;
                }
                ')' if !quoted => return Ok(set),
                '\n' if !keeps_lines => {
                    set.push(' ');
                    continue;
                }
                _ => {}
            }
            set.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn lines_become_trees() {
        let lines = [
            "echo a & echo b && c || d | e",
            "echo a^&b \"c & d\" > out.txt 2>&1",
            "(echo a\n echo b) > x",
            "if not exist \"a b\" (echo no) else echo yes",
            "if /i a==B echo x & echo y",
            "if 1 lss 2 if defined X echo z",
            "for %i in (a b *.c) do echo %i",
            "for /f \"tokens=1,2 delims=,\" %a in ('dir ^| sort') do (echo %a)",
            "@echo off",
            "rem anything & at > all",
            "echo x2>y",
            "echo 2 2>y",
            "(a",
            "a &",
            "| a",
            "",
        ];
        let shown: Vec<String> = lines.iter().map(|line| format!("{line:?}: {:?}", parse(line))).collect();
        expect![[r#"
            "echo a & echo b && c || d | e": Ok(Some(Then(Simple("echo a "), Or(And(Simple("echo b "), Simple("c ")), Pipe(Simple("d "), Simple("e"))))))
            "echo a^&b \"c & d\" > out.txt 2>&1": Ok(Some(Redirected(Simple("echo a&b \"c & d\"  "), [Redirect { stream: 1, is_input: false, appends: false, place: File("out.txt") }, Redirect { stream: 2, is_input: false, appends: false, place: Stream(1) }])))
            "(echo a\n echo b) > x": Ok(Some(Redirected(Block([Simple("echo a"), Simple("echo b")]), [Redirect { stream: 1, is_input: false, appends: false, place: File("x") }])))
            "if not exist \"a b\" (echo no) else echo yes": Ok(Some(If { ignores_case: false, is_negated: true, condition: Exist("\"a b\""), then: Block([Simple("echo no")]), otherwise: Some(Simple("echo yes")) }))
            "if /i a==B echo x & echo y": Ok(Some(If { ignores_case: true, is_negated: false, condition: Compare("a", Same, "B"), then: Then(Simple("echo x "), Simple("echo y")), otherwise: None }))
            "if 1 lss 2 if defined X echo z": Ok(Some(If { ignores_case: false, is_negated: false, condition: Compare("1", Less, "2"), then: If { ignores_case: false, is_negated: false, condition: Defined("X"), then: Simple("echo z"), otherwise: None }, otherwise: None }))
            "for %i in (a b *.c) do echo %i": Ok(Some(For { kind: Plain, variable: 'i', set: "a b *.c", body: Simple("echo %i") }))
            "for /f \"tokens=1,2 delims=,\" %a in ('dir ^| sort') do (echo %a)": Ok(Some(For { kind: Lines("\"tokens=1,2 delims=,\""), variable: 'a', set: "'dir | sort'", body: Block([Simple("echo %a")]) }))
            "@echo off": Ok(Some(Quiet(Simple("echo off"))))
            "rem anything & at > all": Ok(Some(Simple("rem anything & at > all")))
            "echo x2>y": Ok(Some(Redirected(Simple("echo x2"), [Redirect { stream: 1, is_input: false, appends: false, place: File("y") }])))
            "echo 2 2>y": Ok(Some(Redirected(Simple("echo 2 "), [Redirect { stream: 2, is_input: false, appends: false, place: File("y") }])))
            "(a": Err(NeedsMore)
            "a &": Ok(Some(Simple("a ")))
            "| a": Err(Unexpected("|"))
            "": Ok(None)"#]]
        .assert_eq(&shown.join("\n"));
    }
}
