//! The classes of devices that programs ask for: names and identifiers. Key item: [`CLASSES`].
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/install/system-defined-device-setup-classes-available-to-vendors>

/// A class of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceClass {
    /// Its name.
    pub name: &'static str,
    /// The first part of its identifier.
    first: u32,
    /// The next two.
    middle: [u16; 2],
    /// The last bytes.
    last: [u8; 8],
}

impl DeviceClass {
    /// Returns the identifier as it lies in memory.
    pub fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&self.first.to_le_bytes());
        bytes[4..6].copy_from_slice(&self.middle[0].to_le_bytes());
        bytes[6..8].copy_from_slice(&self.middle[1].to_le_bytes());
        bytes[8..].copy_from_slice(&self.last);
        bytes
    }
}

/// Makes a class of the family to which most belong: `{4d36e9xx-e325-11ce-bfc1-08002be10318}`.
const fn common(name: &'static str, number: u8) -> DeviceClass {
    DeviceClass {
        name,
        first: 0x4d36_e900 | number as u32,
        middle: [0xe325, 0x11ce],
        last: [0xbf, 0xc1, 0x08, 0x00, 0x2b, 0xe1, 0x03, 0x18],
    }
}

/// The classes.
pub const CLASSES: &[DeviceClass] = &[
    common("CDROM", 0x65),
    common("Computer", 0x66),
    common("DiskDrive", 0x67),
    common("Display", 0x68),
    common("FDC", 0x69),
    common("HDC", 0x6a),
    common("Keyboard", 0x6b),
    common("MEDIA", 0x6c),
    common("Modem", 0x6d),
    common("Monitor", 0x6e),
    common("Mouse", 0x6f),
    common("MTD", 0x70),
    common("MultiFunction", 0x71),
    common("Net", 0x72),
    common("NetClient", 0x73),
    common("NetService", 0x74),
    common("NetTrans", 0x75),
    common("PCMCIA", 0x77),
    common("Ports", 0x78),
    common("Printer", 0x79),
    common("SCSIAdapter", 0x7b),
    common("System", 0x7d),
    common("Unknown", 0x7e),
    DeviceClass {
        name: "USB",
        first: 0x36fc_9e60,
        middle: [0xc465, 0x11cf],
        last: [0x80, 0x56, 0x44, 0x45, 0x53, 0x54, 0, 0],
    },
    DeviceClass {
        name: "HIDClass",
        first: 0x745a_17a0,
        middle: [0x74d3, 0x11d0],
        last: [0xb6, 0xfe, 0x00, 0xa0, 0xc9, 0x0f, 0x57, 0xda],
    },
    DeviceClass {
        name: "Volume",
        first: 0x71a2_7cdd,
        middle: [0x812a, 0x11d0],
        last: [0xbe, 0xc7, 0x08, 0x00, 0x2b, 0xe2, 0x09, 0x2f],
    },
];
