// The processor's way through the page tables to the chosen address, with the bits of every entry.
var BITS = [
  ['P', 'present', 'the entry points at something'],
  ['W', 'write', 'stores are allowed'],
  ['U', 'user', 'user mode may use it'],
  ['A', 'accessed', 'the processor used the entry'],
  ['D', 'dirty', 'the processor stored through the entry'],
  ['COW', 'copy on write', 'bit 9, which the processor ignores: a store is to make a private copy'],
  ['NX', 'no execute', 'instruction fetches are forbidden']
];

function drawWalk() {
  var memory = memoryOf(view.pid, shown()),
    field = byId('address');
  if (document.activeElement !== field) field.value = view.address === null ? '' : hex(view.address);
  if (!memory || view.address === null) {
    replace('walk', [el('p', { class: 'quiet' }, 'Choose a page, or type an address.')]);
    return;
  }
  var walk = walkTo(memory, view.address);
  replace('walk', [
    bitFields(walk),
    el('div', { class: 'tables' }, ...walk.steps.map(tableCard), endCard(walk)),
    verdict(memory, walk)
  ]);
}

// The address in binary, cut as the tables cut it.
function bitFields(walk) {
  var top = walk.steps[0].shape,
    offset = view.address % PAGE;
  var fields = lesson.levels.map(function (shape, index) {
    var unused = index < walk.steps.length ? '' : ' unused';
    return fieldOf(
      'l' + shape.level + unused,
      binary(indexAt(shape, view.address), shape.bits),
      bitsName(shape),
      indexAt(shape, view.address),
      shortTable(shape)
    );
  });
  fields.push(fieldOf('l0', binary(offset, 12), 'bits 11–0', hex(offset), 'offset'));
  var unused = top.low_bit + top.bits;
  return el(
    'div',
    { class: 'bits', role: 'img', 'aria-label': 'The ' + unused + ' bits of ' + hex(view.address) + ', cut by level' },
    ...fields
  );
}

// Intel's names are long.
function shortTable(shape) {
  return (
    { 'page directory pointer table': 'PDPT', 'page directory': 'directory', 'page table': 'table' }[shape.table] ||
    shape.table
  );
}

function fieldOf(name, digits, bits, value, table) {
  return el(
    'div',
    { class: 'field ' + name },
    el('span', { class: 'of' }, bits),
    el('code', {}, digits),
    el('span', { class: 'of' }, table + ' ' + value)
  );
}

function bitsName(shape) {
  return 'bits ' + (shape.low_bit + shape.bits - 1) + '–' + shape.low_bit;
}

function binary(number, digits) {
  return number.toString(2).padStart(digits, '0');
}

function tableCard(step) {
  var entry = step.entry;
  return el(
    'div',
    { class: 'table l' + step.shape.level + (entry ? '' : ' empty') },
    el('strong', {}, step.shape.table),
    el('span', { class: 'of' }, 'in frame ' + step.frame + ', entry ' + step.index + ' at ' + hex(step.at)),
    bitChips(entry),
    el('span', { class: 'to' }, entry ? '→ frame ' + entry.frame : 'empty: nothing there')
  );
}

function bitChips(entry) {
  var set = entry ? entry.bits : [];
  var names = set.length
    ? BITS.filter(function (bit) {
        return set.indexOf(bit[0]) >= 0;
      })
        .map(function (bit) {
          return bit[1];
        })
        .join(', ')
    : 'none';
  return el(
    'span',
    { class: 'chips', role: 'img', 'aria-label': 'bits set: ' + names },
    ...BITS.map(function (bit) {
      return el(
        'span',
        { class: 'bit' + (set.indexOf(bit[0]) >= 0 ? ' set' : ''), title: bit[1] + ': ' + bit[2] },
        bit[0]
      );
    })
  );
}

function endCard(walk) {
  if (!walk.present) {
    return el(
      'div',
      { class: 'table end fault' },
      el('strong', {}, 'page fault'),
      el('span', { class: 'of' }, 'the entry of level ' + walk.level + ' is not present')
    );
  }
  var frame = frameOf(walk.frame, shown()),
    byte = view.address % PAGE;
  return el(
    'div',
    { class: 'table end' },
    el('strong', {}, 'frame ' + walk.frame),
    el('span', { class: 'of' }, 'physical ' + hex(walk.frame * PAGE + byte)),
    frame && byte < frame.bytes.length ? el('span', { class: 'of' }, 'holds ' + frame.bytes[byte]) : null,
    frame
      ? el('span', { class: 'of' }, frame.text + ', ' + plural(frame.maps, 'entry').replace('entrys', 'entries'))
      : null
  );
}

// What the bits and the region say to each access.
function verdict(memory, walk) {
  var region = regionAt(memory, view.address);
  var bits = walk.steps.map(function (step) {
    return step.entry ? step.entry.bits : [];
  });
  var all = function (name) {
    return bits.every(function (set) {
      return set.indexOf(name) >= 0;
    });
  };
  var nx = bits.some(function (set) {
    return set.indexOf('NX') >= 0;
  });
  var user = walk.present && all('U');
  var may = [
    ['read', user],
    ['write', user && all('W')],
    ['execute', user && !nx]
  ];
  var says = region
    ? 'Region ' +
      hex(region.range.start) +
      '–' +
      hex(region.range.end) +
      ' ' +
      region.rights +
      ' ' +
      region.state +
      (region.name ? ' ' + region.name : '')
    : 'No region holds this address: any touch is answered with a signal';
  return el(
    'p',
    { class: 'verdict' },
    says + '. By the tables alone: ',
    ...may.map(function (one) {
      return el('span', { class: 'may ' + (one[1] ? 'yes' : 'no') }, one[0] + (one[1] ? ' ✓' : ' faults'));
    })
  );
}
