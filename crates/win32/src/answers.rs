//! Functions whose answer is always the same, whatever they are asked: a macro that writes them in groups.

/// Defines functions with a constant answer, in groups of one text, result and answer: page of Microsoft's reference, names,
/// parameters. Two names are the A and the W form of one, and a third one that without a letter; the page is then
/// without its last letter. After `cdecl`, functions of that convention. Where each function has a text of its own, a group is
/// a row: text, page, names, parameters, result, answer.
///
/// ```text
/// answers! {
///     "Refuses what nobody can do here." -> u32 = 5 => {
///         "header/nf-header-one" One(first: GuestWord);
///         "header/nf-header-two" TwoA, TwoW(first: GuestWord, second: u32);
///     }
/// }
/// ```
macro_rules! answers {
    (@rows $how:tt $($what:literal -> $result:ty = $answer:expr => {
        $($page:literal $($name:ident),+ ($($params:tt)*);)+
    })+) => {$($(
        $crate::answers::answers!(@forms $how $what, $page; [$($name),+] {($($params)*) -> $result = $answer});
    )+)+};
    (@rows $how:tt $($what:literal, $page:literal;
        $($name:ident),+ ($($params:tt)*) -> $result:ty = $answer:expr;)+) => {$(
        $crate::answers::answers!(@forms $how $what, $page; [$($name),+] {($($params)*) -> $result = $answer});
    )+};
    (@forms $how:tt $what:literal, $page:literal; [$name:ident] $rest:tt) => {
        $crate::answers::answers!(@one $how $what, $page; $name $rest);
    };
    (@forms $how:tt $what:literal, $page:literal; [$narrow:ident, $wide:ident $(, $plain:ident)?] $rest:tt) => {
        $crate::answers::answers!(@one $how $what, concat!($page, "a"); $narrow $rest);
        $crate::answers::answers!(@one $how $what, concat!($page, "w"); $wide $rest);
        $($crate::answers::answers!(@one $how $what, $page; $plain $rest);)?
    };
    (@one ($($how:tt)+) $what:literal, $page:expr;
        $name:ident {($($param:ident: $type:ty),* $(,)?) -> $result:ty = $answer:expr}) => {
        #[doc = $what]
        #[doc = ""]
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/", $page, ">")]
        #[plat_abi::$($how)+]
        pub fn $name(guest: &mut $crate::guest::Guest, $($param: $type),*) -> $result {
            let _ = (guest, $($param),*);
            $answer
        }
    };
    (cdecl $($rows:tt)+) => {
        $crate::answers::answers!(@rows (winapi(cdecl)) $($rows)+);
    };
    ($($rows:tt)+) => {
        $crate::answers::answers!(@rows (winapi) $($rows)+);
    };
}
pub(crate) use answers;
