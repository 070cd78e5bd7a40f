//! comdlg32.dll: dialogs for files, colours, fonts and printers. There is no screen: each says so when it is called.

use crate::dll;
use crate::export::{Dll, Export};

/// The exports of this file.
const EXPORTS: &[Export] = dll! {
    stub ChooseColorA; stub ChooseColorW; stub ChooseFontA; stub ChooseFontW; stub CommDlgExtendedError; stub FindTextA;
    stub FindTextW; stub GetFileTitleA; stub GetFileTitleW; stub GetOpenFileNameA; stub GetOpenFileNameW;
    stub GetSaveFileNameA; stub GetSaveFileNameW; stub PageSetupDlgA; stub PageSetupDlgW; stub PrintDlgA;
    stub PrintDlgExA; stub PrintDlgExW; stub PrintDlgW; stub ReplaceTextA; stub ReplaceTextW;
};

/// The DLL.
pub const DLL: Dll =
    Dll { name: "comdlg32.dll", description: "Common Dialogs DLL", tables: &[EXPORTS], methods: &[] };
