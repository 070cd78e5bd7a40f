// The data, and small helpers that all parts use.
var PAGE = 4096;
var lesson = JSON.parse(document.getElementById('data').textContent);
var last = lesson.steps.length;
// What is looked at: after how many steps, which process, which address.
var view = { at: 0, pid: null, address: null };

function byId(id) {
  return document.getElementById(id);
}

// Makes an element: el('p', {class: 'x'}, 'text', child, ...).
function el(name, attributes) {
  var node = document.createElement(name);
  fill(node, attributes, Array.prototype.slice.call(arguments, 2));
  return node;
}

function svg(name, attributes) {
  var node = document.createElementNS('http://www.w3.org/2000/svg', name);
  fill(node, attributes, Array.prototype.slice.call(arguments, 2));
  return node;
}

function fill(node, attributes, children) {
  Object.keys(attributes || {}).forEach(function (key) {
    var value = attributes[key];
    if (value === null || value === undefined || value === false) return;
    if (key.slice(0, 2) === 'on') node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? '' : value);
  });
  children.forEach(function (child) {
    if (child !== null && child !== undefined) node.append(child);
  });
}

function replace(id, children) {
  byId(id).replaceChildren.apply(byId(id), children);
}

function hex(number) {
  return '0x' + number.toString(16);
}

function plural(count, word) {
  return count + ' ' + word + (count === 1 ? '' : 's');
}

function size(bytes) {
  var units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'],
    unit = 0;
  while (bytes >= 1024 && unit < 4) {
    bytes /= 1024;
    unit++;
  }
  return (bytes >= 10 || bytes === Math.floor(bytes) ? Math.round(bytes) : bytes.toFixed(1)) + ' ' + units[unit];
}

// Addresses in sentences are written in full; here they are as short as they can be.
function short(text) {
  return text.replace(/0x([0-9a-f]{8})_([0-9a-f]{8})/g, function (whole, high, low) {
    return hex(parseInt(high + low, 16));
  });
}

// Prose with `code`, **strong** and *emphasis*.
function rich(text) {
  return text
    .split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*]+\*)/)
    .filter(Boolean)
    .map(function (part) {
      if (part[0] === '`') return el('code', {}, part.slice(1, -1));
      if (part.slice(0, 2) === '**') return el('strong', {}, part.slice(2, -2));
      if (part[0] === '*' && part.length > 2) return el('em', {}, part.slice(1, -1));
      return part;
    });
}

function questionsAt(at) {
  return lesson.scenes[at].parts
    .filter(function (part) {
      return part.question;
    })
    .map(function (part) {
      return part.question;
    });
}

function state() {
  return lesson.states[view.at];
}

function stateBefore() {
  return lesson.states[Math.max(0, view.at - 1)];
}

function processOf(pid, of) {
  return (of || state()).processes.find(function (process) {
    return process.pid === pid;
  });
}

function memoryOf(pid, of) {
  var process = processOf(pid, of);
  return (
    process &&
    (of || state()).memories.find(function (memory) {
      return memory.id === process.memory;
    })
  );
}

// The state that is drawn: when a process is gone, the last one in which it had memory.
function shown() {
  for (var at = view.at; at >= 0; at--) if (memoryOf(view.pid, lesson.states[at])) return lesson.states[at];
  return state();
}

function frameOf(id, of) {
  return (of || state()).frames.find(function (frame) {
    return frame.id === id;
  });
}

function tableOf(memory, frame) {
  return memory.tables.find(function (table) {
    return table.frame === frame;
  });
}

// The pages of an address space that have an entry: [{address, entry}], ascending.
function pagesOf(memory) {
  var found = [];
  function collect(frame, level, base) {
    var table = tableOf(memory, frame),
      shape = lesson.levels[level];
    if (!table) return;
    table.entries.forEach(function (entry) {
      var address = base + entry.index * Math.pow(2, shape.low_bit);
      if (level === lesson.levels.length - 1) found.push({ address: address, entry: entry });
      else collect(entry.frame, level + 1, address);
    });
  }
  collect(memory.root, 0, 0);
  return found;
}

// Who has a frame mapped: [{pid, address, entry}].
function ownersOf(frame, of) {
  var owners = [];
  (of || state()).processes.forEach(function (process) {
    var memory = memoryOf(process.pid, of);
    if (memory)
      pagesOf(memory).forEach(function (page) {
        if (page.entry.frame === frame) owners.push({ pid: process.pid, address: page.address, entry: page.entry });
      });
  });
  return owners;
}

// Which entry of the table of a level an address chooses; numbers of 48 bits are too large for JavaScript's bit operators.
function indexAt(shape, address) {
  return Math.floor(address / Math.pow(2, shape.low_bit)) % Math.pow(2, shape.bits);
}

// The processor's way to an address: {steps: [{shape, index, table, entry, at}], end}.
function walkTo(memory, address) {
  var frame = memory.root,
    steps = [];
  for (var level = 0; level < lesson.levels.length; level++) {
    var shape = lesson.levels[level];
    var index = indexAt(shape, address);
    var table = tableOf(memory, frame);
    var entry =
      table &&
      table.entries.find(function (one) {
        return one.index === index;
      });
    steps.push({
      shape: shape,
      index: index,
      frame: frame,
      entry: entry,
      at: frame * PAGE + index * lesson.entry_bytes
    });
    if (!entry || entry.bits.indexOf('P') < 0) return { steps: steps, present: false, level: shape.level };
    frame = entry.frame;
  }
  return { steps: steps, present: true, frame: frame };
}

function regionAt(memory, address) {
  return memory.regions.find(function (region) {
    return region.range.start <= address && address < region.range.end;
  });
}

// A colour class by what may be done, the same as in plat's other pictures.
function rightsClass(region) {
  if (region.state === 'reserved') return 'r-none';
  var rights = region.rights;
  if (/GUARD/.test(rights)) return 'r-guard';
  var write = /w|READWRITE|WRITECOPY/.test(rights),
    run = /x|EXECUTE/.test(rights);
  if (write && run) return 'r-rwx';
  if (run) return 'r-rx';
  if (write) return 'r-rw';
  return /r|READ/.test(rights) ? 'r-r' : 'r-none';
}

function select(pid, address) {
  view.pid = pid;
  view.address = address;
  drawLook();
}
