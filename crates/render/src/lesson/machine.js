// Processes with their frames, all frames with their counts, the structures, and the events.

function drawTree() {
  var processes = state().processes;
  if (!processes.length) {
    replace('tree', [el('p', { class: 'quiet' }, 'No process yet.')]);
    return;
  }
  var known = processes.map(function (process) {
    return process.pid;
  });
  function branch(parent) {
    var children = processes.filter(function (process) {
      return parent === null ? known.indexOf(process.parent) < 0 : process.parent === parent;
    });
    return children.length
      ? el(
          'ul',
          { class: parent === null ? 'tree' : '' },
          ...children.map(function (process) {
            return el('li', {}, processNode(process), branch(process.pid));
          })
        )
      : null;
  }
  replace('tree', [branch(null)]);
}

function processNode(process) {
  var memory = memoryOf(process.pid),
    seen = {};
  var frames = memory
    ? pagesOf(memory)
        .map(function (page) {
          return page.entry.frame;
        })
        .filter(function (frame) {
          var first = !seen[frame];
          seen[frame] = true;
          return first;
        })
    : [];
  var counters = process.counters,
    faults = counters.minor_faults + counters.major_faults;
  var node = el(
    'div',
    {
      class:
        'process p' +
        (process.pid % 6) +
        (process.pid === view.pid ? ' chosen' : '') +
        (process.is_running ? '' : ' over')
    },
    el(
      'button',
      {
        type: 'button',
        class: 'name',
        'data-key': 'process-' + process.pid,
        'aria-pressed': String(process.pid === view.pid),
        onclick: function () {
          select(process.pid, view.address);
        }
      },
      el('b', {}, 'process ' + process.pid),
      ' ' + process.name,
      process.pid === state().current ? el('span', { class: 'speaks', title: 'the script speaks for it' }, ' ●') : null
    ),
    el(
      'span',
      { class: 'of' },
      process.state +
        ', ' +
        plural(faults, 'fault') +
        ', ' +
        plural(counters.copies, 'copy').replace('copys', 'copies') +
        (memory ? ', ' + plural(memory.tables.length, 'page table') : '')
    )
  );
  if (frames.length)
    node.append(
      el(
        'div',
        { class: 'owned' },
        ...frames.slice(0, 24).map(function (id) {
          return frameChip(id, process.pid);
        }),
        frames.length > 24 ? el('span', { class: 'of' }, '+' + (frames.length - 24)) : null
      )
    );
  return node;
}

function isShared(frame) {
  return frame && frame.maps > 1 && frame.purpose !== 'zero';
}

function frameChip(id, pid) {
  var frame = frameOf(id),
    shared = isShared(frame);
  return el(
    'button',
    {
      type: 'button',
      class: 'chip' + (shared ? ' shared' : '') + (frame && frame.purpose === 'zero' ? ' zero' : ''),
      'data-frame': id,
      'data-key': 'chip-' + pid + '-' + id,
      'aria-label': 'frame ' + id + (shared ? ', shared by ' + frame.maps : ''),
      title: frame ? frame.text + ', ' + frame.maps + ' entries' : '',
      onclick: function () {
        chooseFrame(id, pid);
      }
    },
    frame && frame.purpose === 'zero' ? '0' : String(id)
  );
}

// Shows the page of a frame: of this process if it has one, else of the first that has.
function chooseFrame(id, pid) {
  var owners = ownersOf(id);
  var owner =
    owners.find(function (one) {
      return one.pid === pid;
    }) || owners[0];
  if (owner) select(owner.pid, owner.address);
}

function chosenFrame() {
  var memory = memoryOf(view.pid);
  if (!memory || view.address === null) return null;
  var walk = walkTo(memory, view.address);
  return walk.present ? walk.frame : null;
}

function drawFrames() {
  var frames = state().frames,
    totals = state().totals,
    chosen = chosenFrame();
  var before = stateBefore();
  var pages = frames.filter(function (frame) {
    return frame.purpose !== 'table';
  });
  var tables = frames.filter(function (frame) {
    return frame.purpose === 'table';
  });
  var tiles = pages.map(function (frame) {
    var old = frameOf(frame.id, before),
      owners = ownersOf(frame.id);
    var change =
      view.at > 0 && (!old || old.purpose !== frame.purpose)
        ? ' new'
        : view.at > 0 && old.maps !== frame.maps
          ? ' changed'
          : '';
    var pids = Array.from(
      new Set(
        owners.map(function (owner) {
          return owner.pid;
        })
      )
    );
    return el(
      'button',
      {
        type: 'button',
        class:
          'frame f-' +
          frame.purpose +
          (isShared(frame) ? ' shared' : '') +
          change +
          (frame.id === chosen ? ' chosen' : ''),
        'data-frame': frame.id,
        'data-key': 'frame-' + frame.id,
        'aria-label':
          'frame ' +
          frame.id +
          ', ' +
          frame.text +
          ', ' +
          frame.maps +
          ' references' +
          (owners.length ? ', ' + owners.map(where).join(', ') : ''),
        title:
          frame.text + (frame.dirty ? ', written' : '') + (owners.length ? ': ' + owners.map(where).join(', ') : ''),
        onclick: function () {
          chooseFrame(frame.id, view.pid);
        }
      },
      el('b', {}, String(frame.id)),
      el('span', { class: 'kind' }, kindOf(frame)),
      el('span', { class: 'count' }, '×' + frame.maps),
      el(
        'span',
        { class: 'dots' },
        ...pids.map(function (pid) {
          return el('i', { class: 'dot p' + (pid % 6), title: 'process ' + pid }, String(pid));
        })
      )
    );
  });
  var summary =
    plural(totals.frames_in_use, 'frame') +
    ' in use, ' +
    totals.shared_frames +
    ' shared, ' +
    totals.table_frames +
    ' hold page tables';
  var parts = [el('p', { class: 'of' }, summary), el('div', { class: 'grid' }, ...tiles)];
  if (tables.length)
    parts.push(
      el(
        'p',
        { class: 'of minis' },
        'Page tables: ',
        ...tables.map(function (frame) {
          var old = frameOf(frame.id, before);
          return el(
            'span',
            { class: 'mini' + (view.at > 0 && (!old || old.purpose !== 'table') ? ' new' : ''), title: frame.text },
            String(frame.id)
          );
        })
      )
    );
  if (chosen !== null) {
    var owners = ownersOf(chosen),
      frame = frameOf(chosen);
    parts.push(
      el(
        'p',
        { class: 'owners' },
        'Frame ' +
          chosen +
          ', ' +
          frame.text +
          ': ' +
          (owners.length ? owners.map(where).join(', ') : 'nobody maps it') +
          '.'
      )
    );
  }
  replace('frames', parts);
}

function where(owner) {
  return 'process ' + owner.pid + ' at ' + hex(owner.address);
}

function kindOf(frame) {
  return { zero: 'zeroes', page: 'page', cache: 'file' }[frame.purpose];
}

// The red-black tree, and what look-ups cost in each structure.
function drawStructures() {
  var lens = lesson.scenes[view.at].lens;
  if (!lens || !lens.tree.length) {
    replace('structures', [el('p', { class: 'quiet' }, 'Nothing to look up yet.')]);
    return;
  }
  var rows = lens.rows.map(function (row) {
    var each = row.lookups ? (row.comparisons / row.lookups).toFixed(1) : '–';
    var hits = /cache/.test(row.name) ? String(row.cache_hits) : '–';
    return el(
      'tr',
      {},
      el('th', { scope: 'row' }, row.name),
      el('td', {}, String(row.depth)),
      el('td', {}, String(row.lookups)),
      el('td', {}, each),
      el('td', {}, hits)
    );
  });
  var head = el(
    'tr',
    {},
    ...['', 'depth', 'look-ups', 'comparisons each', 'hits'].map(function (name) {
      return el('th', { scope: 'col' }, name);
    })
  );
  replace('structures', [treePicture(lens.tree), el('table', {}, el('thead', {}, head), el('tbody', {}, ...rows))]);
}

function treePicture(nodes) {
  var depth = Math.max.apply(
    null,
    nodes.map(function (node) {
      return node.depth;
    })
  );
  var step = Math.max(26, 360 / nodes.length),
    width = step * nodes.length,
    height = depth * 34 + 22;
  var root = svg('svg', {
    viewBox: '0 0 ' + Math.max(width, 360) + ' ' + height,
    role: 'img',
    'aria-label': 'red-black tree of ' + nodes.length + ' regions',
    class: 'rbtree'
  });
  var shift = Math.max(0, (360 - width) / 2);
  function x(index) {
    return shift + step * (index + 0.5);
  }
  function y(node) {
    return node.depth * 34 - 14;
  }
  // The parent of a node is its nearest neighbour, in order, that is one level higher.
  nodes.forEach(function (node, index) {
    [-1, 1].forEach(function (way) {
      for (var other = index + way; nodes[other]; other += way) {
        if (nodes[other].depth < node.depth) {
          if (nodes[other].depth === node.depth - 1)
            root.append(
              svg('path', {
                class: 'branch',
                d: 'M' + x(index) + ' ' + y(node) + ' L' + x(other) + ' ' + y(nodes[other])
              })
            );
          break;
        }
      }
    });
  });
  nodes.forEach(function (node, index) {
    var chosen = view.address !== null && node.start <= view.address && view.address < node.end;
    root.append(
      svg(
        'g',
        { class: 'node ' + (node.red ? 'red' : 'black') + (chosen ? ' chosen' : '') },
        svg('circle', { cx: x(index), cy: y(node), r: 8 }),
        svg('text', { x: x(index), y: y(node) + 20, 'text-anchor': 'middle' }, tail(node.start)),
        svg('title', {}, hex(node.start) + '–' + hex(node.end) + ', ' + (node.red ? 'red' : 'black'))
      )
    );
  });
  return root;
}

// The last digits are enough to tell regions apart.
function tail(address) {
  var digits = address.toString(16);
  return digits.length > 6 ? '…' + digits.slice(-6, -3) : digits;
}

function eventItem(event) {
  var item = el('li', { class: 'event k-' + event.kind }, el('code', {}, event.code), ' '),
    text = short(event.text);
  if (event.walk || event.range) {
    // The address itself can be clicked, where the sentence names it.
    var address = event.walk ? event.walk.address : event.range.start,
      name = hex(address),
      place = text.indexOf(name);
    item.append(
      place < 0 ? text + ' ' : text.slice(0, place),
      el(
        'button',
        {
          type: 'button',
          class: 'show',
          'aria-label': 'Show ' + name,
          onclick: function () {
            select(event.process, address);
          }
        },
        name
      ),
      place < 0 ? '' : text.slice(place + name.length)
    );
  } else item.append(text);
  return item;
}

function drawEvents() {
  var step = lesson.steps[view.at - 1];
  if (!step) {
    replace('events', [el('p', { class: 'quiet' }, 'Nothing yet: this is the start.')]);
  } else {
    var parts = [el('p', { class: 'command' }, el('code', {}, step.text))];
    if (step.events.length) parts.push(el('ul', { class: 'events' }, ...step.events.map(eventItem)));
    if (step.output) parts.push(el('pre', {}, short(step.output.trimEnd())));
    if (step.error) parts.push(el('p', { class: 'failed' }, 'cannot be done: ' + step.error));
    if (!step.events.length && !step.output && !step.error)
      parts.push(el('p', { class: 'quiet' }, 'It only says for whom the script speaks, or shows nothing.'));
    replace('events', parts);
  }
  var all = lesson.steps.slice(0, view.at).map(function (step, index) {
    return el(
      'details',
      { open: index === view.at - 1 },
      el('summary', {}, index + 1 + '. ', el('code', {}, step.text), ' (' + step.events.length + ')'),
      el('ul', { class: 'events' }, ...step.events.map(eventItem))
    );
  });
  replace('log', all.length ? all.reverse() : [el('p', { class: 'quiet' }, 'Empty.')]);
}
