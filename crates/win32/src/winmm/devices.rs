//! mmeapi.h and its like: devices of sound and joysticks, of which this machine has none.

use plat_abi::GuestWord;

use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full waveOutGetNumDevs;
    full waveInGetNumDevs;
    full midiOutGetNumDevs;
    full midiInGetNumDevs;
    full auxGetNumDevs;
    full mixerGetNumDevs;
    full joyGetNumDevs;
    full waveOutOpen;
    full waveInOpen;
    full midiOutOpen;
    full midiInOpen;
    full mixerOpen;
    full waveOutGetDevCapsA;
    full waveOutGetDevCapsW;
    full waveInGetDevCapsA;
    full waveInGetDevCapsW;
    full midiOutGetDevCapsA;
    full midiOutGetDevCapsW;
    full midiInGetDevCapsA;
    full midiInGetDevCapsW;
    full waveOutClose;
    full waveInClose;
    full waveOutWrite;
    full waveOutReset;
    full waveOutPause;
    full waveOutRestart;
    full waveOutPrepareHeader;
    full waveOutUnprepareHeader;
    full waveInStart;
    full waveInStop;
    full waveInReset;
    full waveInAddBuffer;
    full waveInPrepareHeader;
    full waveInUnprepareHeader;
    full midiOutClose;
    full midiInClose;
    full midiOutReset;
    full midiOutShortMsg;
    full midiInStart;
    full midiInStop;
    full waveOutGetPosition;
    full waveOutGetVolume;
    full waveOutSetVolume;
    full joyGetPosEx;
    full joyGetPos;
    full joyGetDevCapsA;
    full joyGetDevCapsW;
    full PlaySoundA;
    full PlaySoundW;
    full sndPlaySoundA;
    full sndPlaySoundW;
    full mciSendStringA;
    full mciSendStringW;
    full mciSendCommandA;
    full mciSendCommandW;
    full waveOutGetID;
    full waveOutGetPitch;
    full waveOutSetPitch;
    full waveOutGetPlaybackRate;
    full waveOutSetPlaybackRate;
    full waveOutBreakLoop;
    full waveInGetID;
    full waveInGetPosition;
    full midiOutGetVolume;
    full midiOutSetVolume;
    full midiOutPrepareHeader;
    full midiOutUnprepareHeader;
    full midiOutLongMsg;
    full midiOutCachePatches;
    full midiOutCacheDrumPatches;
    full midiOutGetID;
    full midiInPrepareHeader;
    full midiInUnprepareHeader;
    full midiInAddBuffer;
    full midiInReset;
    full midiInGetID;
    full midiConnect;
    full midiDisconnect;
    full midiStreamClose;
    full midiStreamOut;
    full midiStreamPause;
    full midiStreamRestart;
    full midiStreamStop;
    full midiStreamPosition;
    full midiStreamProperty;
    full mixerClose;
    full mixerGetLineInfoA;
    full mixerGetLineInfoW;
    full mixerGetLineControlsA;
    full mixerGetLineControlsW;
    full mixerGetControlDetailsA;
    full mixerGetControlDetailsW;
    full mixerSetControlDetails;
    full mixerMessage;
    full waveOutMessage;
    full waveInMessage;
    full midiOutMessage;
    full midiInMessage;
    full mixerGetID;
    full mixerGetDevCapsA;
    full mixerGetDevCapsW;
    full auxGetDevCapsA;
    full auxGetDevCapsW;
    full auxGetVolume;
    full auxSetVolume;
    full auxOutMessage;
    full midiStreamOpen;
    full joyGetThreshold;
    full joySetThreshold;
    full joySetCapture;
    full joyReleaseCapture;
    full joyConfigChanged;
    full mciGetDeviceIDA;
    full mciGetDeviceIDW;
    full mciGetDeviceIDFromElementIDA;
    full mciGetDeviceIDFromElementIDW;
    full mciGetYieldProc;
    full mciSetYieldProc;
    full mciGetCreatorTask;
    full mciExecute;
};

/// `MMSYSERR_BADDEVICEID`.
const BAD_DEVICE: u32 = 2;
/// `MMSYSERR_INVALHANDLE`.
const INVALID_HANDLE: u32 = 5;
/// `MMSYSERR_NODRIVER`.
const NO_DRIVER: u32 = 6;
/// `JOYERR_UNPLUGGED`.
const UNPLUGGED: u32 = 167;
/// `MCIERR_INVALID_DEVICE_NAME`.
const NO_SUCH_DEVICE: u32 = 263;

answers! {
    "Says that there are no such devices." -> u32 = 0 => {
        "mmeapi/nf-mmeapi-waveoutgetnumdevs" waveOutGetNumDevs();
        "mmeapi/nf-mmeapi-waveingetnumdevs" waveInGetNumDevs();
        "mmeapi/nf-mmeapi-midioutgetnumdevs" midiOutGetNumDevs();
        "mmeapi/nf-mmeapi-midiingetnumdevs" midiInGetNumDevs();
        "mmeapi/nf-mmeapi-auxgetnumdevs" auxGetNumDevs();
        "mmeapi/nf-mmeapi-mixergetnumdevs" mixerGetNumDevs();
        "joystickapi/nf-joystickapi-joygetnumdevs" joyGetNumDevs();
    }
    "Says that there is no device of this number." -> u32 = BAD_DEVICE => {
        "mmeapi/nf-mmeapi-waveoutopen"
        waveOutOpen(phwo: GuestWord, uDeviceID: u32, pwfx: GuestWord, dwCallback: GuestWord, dwInstance: GuestWord, fdwOpen: u32);
        "mmeapi/nf-mmeapi-waveinopen"
        waveInOpen(phwi: GuestWord, uDeviceID: u32, pwfx: GuestWord, dwCallback: GuestWord, dwInstance: GuestWord, fdwOpen: u32);
        "mmeapi/nf-mmeapi-midioutopen"
        midiOutOpen(phmo: GuestWord, uDeviceID: u32, dwCallback: GuestWord, dwInstance: GuestWord, fdwOpen: u32);
        "mmeapi/nf-mmeapi-midiinopen"
        midiInOpen(phmi: GuestWord, uDeviceID: u32, dwCallback: GuestWord, dwInstance: GuestWord, fdwOpen: u32);
        "mmeapi/nf-mmeapi-mixeropen"
        mixerOpen(phmx: GuestWord, uMxId: u32, dwCallback: GuestWord, dwInstance: GuestWord, fdwOpen: u32);
        "mmeapi/nf-mmeapi-waveoutgetdevcapsa" waveOutGetDevCapsA(uDeviceID: GuestWord, pwoc: GuestWord, cbwoc: u32);
        "mmeapi/nf-mmeapi-waveoutgetdevcapsw" waveOutGetDevCapsW(uDeviceID: GuestWord, pwoc: GuestWord, cbwoc: u32);
        "mmeapi/nf-mmeapi-waveingetdevcapsa" waveInGetDevCapsA(uDeviceID: GuestWord, pwic: GuestWord, cbwic: u32);
        "mmeapi/nf-mmeapi-waveingetdevcapsw" waveInGetDevCapsW(uDeviceID: GuestWord, pwic: GuestWord, cbwic: u32);
        "mmeapi/nf-mmeapi-midioutgetdevcapsa" midiOutGetDevCapsA(uDeviceID: GuestWord, pmoc: GuestWord, cbmoc: u32);
        "mmeapi/nf-mmeapi-midioutgetdevcapsw" midiOutGetDevCapsW(uDeviceID: GuestWord, pmoc: GuestWord, cbmoc: u32);
        "mmeapi/nf-mmeapi-midiingetdevcapsa" midiInGetDevCapsA(uDeviceID: GuestWord, pmic: GuestWord, cbmic: u32);
        "mmeapi/nf-mmeapi-midiingetdevcapsw" midiInGetDevCapsW(uDeviceID: GuestWord, pmic: GuestWord, cbmic: u32);
        "mmeapi/nf-mmeapi-mixergetid" mixerGetID(hmxobj: GuestWord, puMxId: GuestWord, fdwId: u32);
        "mmeapi/nf-mmeapi-mixergetdevcaps"
        mixerGetDevCapsA, mixerGetDevCapsW(uMxId: GuestWord, pmxcaps: GuestWord, cbmxcaps: u32);
        "mmeapi/nf-mmeapi-auxgetdevcaps"
        auxGetDevCapsA, auxGetDevCapsW(uDeviceID: GuestWord, pac: GuestWord, cbac: u32);
        "mmeapi/nf-mmeapi-auxgetvolume" auxGetVolume(uDeviceID: u32, pdwVolume: GuestWord);
        "mmeapi/nf-mmeapi-auxsetvolume" auxSetVolume(uDeviceID: u32, dwVolume: u32);
        "mmeapi/nf-mmeapi-auxoutmessage" auxOutMessage(uDeviceID: u32, uMsg: u32, dw1: GuestWord, dw2: GuestWord);
        "mmeapi/nf-mmeapi-midistreamopen"
        midiStreamOpen(phms: GuestWord, puDeviceID: GuestWord, cMidi: u32, dwCallback: GuestWord, dwInstance: GuestWord, fdwOpen: u32);
    }
    "Says that this is no open device." -> u32 = INVALID_HANDLE => {
        "mmeapi/nf-mmeapi-waveoutclose" waveOutClose(hwo: GuestWord);
        "mmeapi/nf-mmeapi-waveinclose" waveInClose(hwi: GuestWord);
        "mmeapi/nf-mmeapi-waveoutwrite" waveOutWrite(hwo: GuestWord, pwh: GuestWord, cbwh: u32);
        "mmeapi/nf-mmeapi-waveoutreset" waveOutReset(hwo: GuestWord);
        "mmeapi/nf-mmeapi-waveoutpause" waveOutPause(hwo: GuestWord);
        "mmeapi/nf-mmeapi-waveoutrestart" waveOutRestart(hwo: GuestWord);
        "mmeapi/nf-mmeapi-waveoutprepareheader" waveOutPrepareHeader(hwo: GuestWord, pwh: GuestWord, cbwh: u32);
        "mmeapi/nf-mmeapi-waveoutunprepareheader" waveOutUnprepareHeader(hwo: GuestWord, pwh: GuestWord, cbwh: u32);
        "mmeapi/nf-mmeapi-waveinstart" waveInStart(hwi: GuestWord);
        "mmeapi/nf-mmeapi-waveinstop" waveInStop(hwi: GuestWord);
        "mmeapi/nf-mmeapi-waveinreset" waveInReset(hwi: GuestWord);
        "mmeapi/nf-mmeapi-waveinaddbuffer" waveInAddBuffer(hwi: GuestWord, pwh: GuestWord, cbwh: u32);
        "mmeapi/nf-mmeapi-waveinprepareheader" waveInPrepareHeader(hwi: GuestWord, pwh: GuestWord, cbwh: u32);
        "mmeapi/nf-mmeapi-waveinunprepareheader" waveInUnprepareHeader(hwi: GuestWord, pwh: GuestWord, cbwh: u32);
        "mmeapi/nf-mmeapi-midioutclose" midiOutClose(hmo: GuestWord);
        "mmeapi/nf-mmeapi-midiinclose" midiInClose(hmi: GuestWord);
        "mmeapi/nf-mmeapi-midioutreset" midiOutReset(hmo: GuestWord);
        "mmeapi/nf-mmeapi-midioutshortmsg" midiOutShortMsg(hmo: GuestWord, dwMsg: u32);
        "mmeapi/nf-mmeapi-midiinstart" midiInStart(hmi: GuestWord);
        "mmeapi/nf-mmeapi-midiinstop" midiInStop(hmi: GuestWord);
        "mmeapi/nf-mmeapi-waveoutgetposition" waveOutGetPosition(hwo: GuestWord, pmmt: GuestWord, cbmmt: u32);
        "mmeapi/nf-mmeapi-waveoutgetvolume" waveOutGetVolume(hwo: GuestWord, pdwVolume: GuestWord);
        "mmeapi/nf-mmeapi-waveoutsetvolume" waveOutSetVolume(hwo: GuestWord, dwVolume: u32);
        "mmeapi/nf-mmeapi-waveoutgetid" waveOutGetID(hwo: GuestWord, puDeviceID: GuestWord);
        "mmeapi/nf-mmeapi-waveoutgetpitch" waveOutGetPitch(hwo: GuestWord, pdwPitch: GuestWord);
        "mmeapi/nf-mmeapi-waveoutsetpitch" waveOutSetPitch(hwo: GuestWord, dwPitch: u32);
        "mmeapi/nf-mmeapi-waveoutgetplaybackrate" waveOutGetPlaybackRate(hwo: GuestWord, pdwRate: GuestWord);
        "mmeapi/nf-mmeapi-waveoutsetplaybackrate" waveOutSetPlaybackRate(hwo: GuestWord, dwRate: u32);
        "mmeapi/nf-mmeapi-waveoutbreakloop" waveOutBreakLoop(hwo: GuestWord);
        "mmeapi/nf-mmeapi-waveingetid" waveInGetID(hwi: GuestWord, puDeviceID: GuestWord);
        "mmeapi/nf-mmeapi-waveingetposition" waveInGetPosition(hwi: GuestWord, pmmt: GuestWord, cbmmt: u32);
        "mmeapi/nf-mmeapi-midioutgetvolume" midiOutGetVolume(hmo: GuestWord, pdwVolume: GuestWord);
        "mmeapi/nf-mmeapi-midioutsetvolume" midiOutSetVolume(hmo: GuestWord, dwVolume: u32);
        "mmeapi/nf-mmeapi-midioutprepareheader" midiOutPrepareHeader(hmo: GuestWord, pmh: GuestWord, cbmh: u32);
        "mmeapi/nf-mmeapi-midioutunprepareheader" midiOutUnprepareHeader(hmo: GuestWord, pmh: GuestWord, cbmh: u32);
        "mmeapi/nf-mmeapi-midioutlongmsg" midiOutLongMsg(hmo: GuestWord, pmh: GuestWord, cbmh: u32);
        "mmeapi/nf-mmeapi-midioutcachepatches"
        midiOutCachePatches(hmo: GuestWord, uBank: u32, pwpa: GuestWord, fuCache: u32);
        "mmeapi/nf-mmeapi-midioutcachedrumpatches"
        midiOutCacheDrumPatches(hmo: GuestWord, uPatch: u32, pwkya: GuestWord, fuCache: u32);
        "mmeapi/nf-mmeapi-midioutgetid" midiOutGetID(hmo: GuestWord, puDeviceID: GuestWord);
        "mmeapi/nf-mmeapi-midiinprepareheader" midiInPrepareHeader(hmi: GuestWord, pmh: GuestWord, cbmh: u32);
        "mmeapi/nf-mmeapi-midiinunprepareheader" midiInUnprepareHeader(hmi: GuestWord, pmh: GuestWord, cbmh: u32);
        "mmeapi/nf-mmeapi-midiinaddbuffer" midiInAddBuffer(hmi: GuestWord, pmh: GuestWord, cbmh: u32);
        "mmeapi/nf-mmeapi-midiinreset" midiInReset(hmi: GuestWord);
        "mmeapi/nf-mmeapi-midiingetid" midiInGetID(hmi: GuestWord, puDeviceID: GuestWord);
        "mmeapi/nf-mmeapi-midiconnect" midiConnect(hmi: GuestWord, hmo: GuestWord, pReserved: GuestWord);
        "mmeapi/nf-mmeapi-mididisconnect" midiDisconnect(hmi: GuestWord, hmo: GuestWord, pReserved: GuestWord);
        "mmeapi/nf-mmeapi-midistreamclose" midiStreamClose(hms: GuestWord);
        "mmeapi/nf-mmeapi-midistreamout" midiStreamOut(hms: GuestWord, pmh: GuestWord, cbmh: u32);
        "mmeapi/nf-mmeapi-midistreampause" midiStreamPause(hms: GuestWord);
        "mmeapi/nf-mmeapi-midistreamrestart" midiStreamRestart(hms: GuestWord);
        "mmeapi/nf-mmeapi-midistreamstop" midiStreamStop(hms: GuestWord);
        "mmeapi/nf-mmeapi-midistreamposition" midiStreamPosition(hms: GuestWord, lpmmt: GuestWord, cbmmt: u32);
        "mmeapi/nf-mmeapi-midistreamproperty"
        midiStreamProperty(hms: GuestWord, lppropdata: GuestWord, dwProperty: u32);
        "mmeapi/nf-mmeapi-mixerclose" mixerClose(hmx: GuestWord);
        "mmeapi/nf-mmeapi-mixergetlineinfo"
        mixerGetLineInfoA, mixerGetLineInfoW(hmxobj: GuestWord, pmxl: GuestWord, fdwInfo: u32);
        "mmeapi/nf-mmeapi-mixergetlinecontrols"
        mixerGetLineControlsA, mixerGetLineControlsW(hmxobj: GuestWord, pmxlc: GuestWord, fdwControls: u32);
        "mmeapi/nf-mmeapi-mixergetcontroldetails"
        mixerGetControlDetailsA, mixerGetControlDetailsW(hmxobj: GuestWord, pmxcd: GuestWord, fdwDetails: u32);
        "mmeapi/nf-mmeapi-mixersetcontroldetails"
        mixerSetControlDetails(hmxobj: GuestWord, pmxcd: GuestWord, fdwDetails: u32);
        "mmeapi/nf-mmeapi-mixermessage"
        mixerMessage(hmx: GuestWord, uMsg: u32, dwParam1: GuestWord, dwParam2: GuestWord);
        "mmeapi/nf-mmeapi-waveoutmessage" waveOutMessage(hwo: GuestWord, uMsg: u32, dw1: GuestWord, dw2: GuestWord);
        "mmeapi/nf-mmeapi-waveinmessage" waveInMessage(hwi: GuestWord, uMsg: u32, dw1: GuestWord, dw2: GuestWord);
        "mmeapi/nf-mmeapi-midioutmessage" midiOutMessage(hmo: GuestWord, uMsg: u32, dw1: GuestWord, dw2: GuestWord);
        "mmeapi/nf-mmeapi-midiinmessage" midiInMessage(hmi: GuestWord, uMsg: u32, dw1: GuestWord, dw2: GuestWord);
    }
    "Says that there is no joystick." -> u32 = UNPLUGGED => {
        "joystickapi/nf-joystickapi-joygetposex" joyGetPosEx(uJoyID: u32, pji: GuestWord);
        "joystickapi/nf-joystickapi-joygetpos" joyGetPos(uJoyID: u32, pji: GuestWord);
        "joystickapi/nf-joystickapi-joygetdevcapsa" joyGetDevCapsA(uJoyID: GuestWord, pjc: GuestWord, cbjc: u32);
        "joystickapi/nf-joystickapi-joygetdevcapsw" joyGetDevCapsW(uJoyID: GuestWord, pjc: GuestWord, cbjc: u32);
    }
    "Says that nothing can be played: there is no device." -> Bool = FALSE => {
        "playsoundapi/nf-playsoundapi-playsounda" PlaySoundA(pszSound: GuestWord, hmod: GuestWord, fdwSound: u32);
        "playsoundapi/nf-playsoundapi-playsoundw" PlaySoundW(pszSound: GuestWord, hmod: GuestWord, fdwSound: u32);
        "playsoundapi/nf-playsoundapi-sndplaysounda" sndPlaySoundA(pszSound: GuestWord, fuSound: u32);
        "playsoundapi/nf-playsoundapi-sndplaysoundw" sndPlaySoundW(pszSound: GuestWord, fuSound: u32);
    }
    "Says that there is no such device." -> u32 = NO_SUCH_DEVICE => {
        "mmsystem/nf-mmsystem-mcisendstringa"
        mciSendStringA(lpstrCommand: GuestWord, lpstrReturnString: GuestWord, uReturnLength: u32, hwndCallback: GuestWord);
        "mmsystem/nf-mmsystem-mcisendstringw"
        mciSendStringW(lpstrCommand: GuestWord, lpstrReturnString: GuestWord, uReturnLength: u32, hwndCallback: GuestWord);
        "mmsystem/nf-mmsystem-mcisendcommanda"
        mciSendCommandA(mciId: u32, uMsg: u32, dwParam1: GuestWord, dwParam2: GuestWord);
        "mmsystem/nf-mmsystem-mcisendcommandw"
        mciSendCommandW(mciId: u32, uMsg: u32, dwParam1: GuestWord, dwParam2: GuestWord);
    }
    "Says that no joystick has a driver." -> u32 = NO_DRIVER => {
        "joystickapi/nf-joystickapi-joygetthreshold" joyGetThreshold(uJoyID: u32, puThreshold: GuestWord);
        "joystickapi/nf-joystickapi-joysetthreshold" joySetThreshold(uJoyID: u32, uThreshold: u32);
        "joystickapi/nf-joystickapi-joysetcapture"
        joySetCapture(hwnd: GuestWord, uJoyID: u32, uPeriod: u32, fChanged: Bool);
        "joystickapi/nf-joystickapi-joyreleasecapture" joyReleaseCapture(uJoyID: u32);
        "joystickapi/nf-joystickapi-joyconfigchanged" joyConfigChanged(dwFlags: u32);
    }
    "Returns the number of an open device: none is open." -> u32 = 0 => {
        "mmsystem/nf-mmsystem-mcigetdeviceid" mciGetDeviceIDA, mciGetDeviceIDW(pszDevice: GuestWord);
        "mmsystem/nf-mmsystem-mcigetdeviceidfromelementid"
        mciGetDeviceIDFromElementIDA, mciGetDeviceIDFromElementIDW(dwElementID: u32, lpstrType: GuestWord);
    }
    "Returns what a device calls while it waits: none is open." -> GuestWord = GuestWord::NULL => {
        "mmsystem/nf-mmsystem-mcigetyieldproc" mciGetYieldProc(mciId: u32, pdwYieldData: GuestWord);
    }
    "Takes what a device calls while it waits: none is open." -> Bool = FALSE => {
        "mmsystem/nf-mmsystem-mcisetyieldproc" mciSetYieldProc(mciId: u32, fpYieldProc: GuestWord, dwYieldData: u32);
    }
    "Returns the task that opened a device: none is open." -> GuestWord = GuestWord::NULL => {
        "mmsystem/nf-mmsystem-mcigetcreatortask" mciGetCreatorTask(mciId: u32);
    }
    "Says that there is no such device." -> Bool = FALSE => {
        "mmsystem/nf-mmsystem-mciexecute" mciExecute(pszCommand: GuestWord);
    }
}
