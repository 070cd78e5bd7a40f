// The address space of one process, to scale, high addresses at the top. Holes that are large are cut, and say so.
var SPACE = { width: 470, bar: 46, barWidth: 104, label: 184, labelHeight: 36, height: 400, cut: 26 };

// Letters keep their size: on a narrow screen the bar gives way.
function fitSpace() {
  SPACE.width = Math.max(290, Math.min(540, byId('space').clientWidth || 470));
  SPACE.barWidth = SPACE.width < 400 ? 62 : 104;
  SPACE.bar = SPACE.width < 400 ? 32 : 46;
  SPACE.label = SPACE.bar + SPACE.barWidth + (SPACE.width < 400 ? 22 : 34);
}

function drawTabs() {
  replace(
    'tabs',
    state().processes.map(function (process) {
      var speaks = process.pid === state().current;
      return el(
        'button',
        {
          type: 'button',
          class: 'tab p' + (process.pid % 6),
          'data-key': 'tab-' + process.pid,
          'aria-pressed': String(process.pid === view.pid),
          onclick: function () {
            select(process.pid, view.address);
          }
        },
        process.pid + ' ' + process.name,
        speaks ? el('span', { class: 'speaks', title: 'the script speaks for it' }, ' ●') : null
      );
    })
  );
}

// Cuts the space into stretches that are drawn to scale: [{start, end, regions}], descending.
function stretches(regions) {
  var mapped = regions.reduce(function (sum, region) {
    return sum + region.range.end - region.range.start;
  }, 0);
  var limit = Math.max(8 * PAGE, mapped / 3),
    found = [];
  regions.forEach(function (region) {
    var current = found[found.length - 1];
    if (current && region.range.start - current.end <= limit) {
      current.end = region.range.end;
      current.regions.push(region);
    } else found.push({ start: region.range.start, end: region.range.end, regions: [region] });
  });
  return found.reverse();
}

function drawSpace() {
  fitSpace();
  var memory = memoryOf(view.pid, shown()),
    process = processOf(view.pid);
  if (!memory) {
    replace('space', [el('p', { class: 'quiet' }, 'There is no process yet.')]);
    return;
  }
  var note =
    shown() === state()
      ? []
      : [
          el(
            'p',
            { class: 'ended' },
            'Process ' + process.pid + ' ' + process.state + '. Its address space is gone; this is how it was.'
          )
        ];
  if (!memory.regions.length) {
    replace('space', [
      el('p', { class: 'quiet' }, 'An empty address space: ' + size(memory.end) + ', nothing mapped.')
    ]);
    return;
  }
  var parts = stretches(memory.regions);
  var total = parts.reduce(function (sum, part) {
    return sum + part.end - part.start;
  }, 0);
  var scale = Math.min(22 / PAGE, SPACE.height / total);
  var root = svg('svg', { class: 'space', role: 'group', 'aria-label': 'Regions, highest address first' });
  var pages = pagesOf(memory),
    before = shown() === state() ? memoryOf(view.pid, stateBefore()) : memory;
  var labels = [],
    y = 22;
  root.append(edge(y - 12, memory.end));
  parts.forEach(function (part, index) {
    var hole = (index ? parts[index - 1].start : memory.end) - part.end;
    if (hole > 0) {
      root.append(cutMark(y, hole));
      y += SPACE.cut;
    }
    part.regions
      .slice()
      .reverse()
      .forEach(function (region, below, all) {
        var height = Math.max(4, (region.range.end - region.range.start) * scale);
        if (below) y = drawHole(root, y, all[below - 1].range.start - region.range.end, scale);
        var group = regionGroup(memory, region, before);
        group.append(
          svg('rect', {
            class: 'region ' + rightsClass(region),
            x: SPACE.bar,
            y: y,
            width: SPACE.barWidth,
            height: height
          })
        );
        drawPages(group, region, pages, y, height);
        root.append(group);
        labels.push({ region: region, group: group, middle: y + height / 2 });
        y += height;
      });
  });
  root.append(cutMark(y, parts[parts.length - 1].start));
  y += SPACE.cut;
  root.append(edge(y + 8, 0));
  var height = Math.max(y + 14, placeLabels(labels, y + 14));
  overview(root, memory, height);
  labels.forEach(function (label) {
    drawLabel(label, pages);
  });
  root.setAttribute('viewBox', '0 0 ' + SPACE.width + ' ' + height);
  replace('space', note.concat([root], shown() === state() ? goneRegions(memory, before) : []));
}

// A hole that is small enough to be drawn to scale; returns where it ends.
function drawHole(root, y, bytes, scale) {
  var height = bytes * scale,
    x = SPACE.bar,
    right = SPACE.bar + SPACE.barWidth;
  if (height > 1)
    root.append(
      svg('path', { class: 'hole', d: 'M' + x + ' ' + y + ' v' + height + ' M' + right + ' ' + y + ' v' + height })
    );
  if (height >= 14)
    root.append(
      svg('text', { class: 'edge', x: (x + right) / 2, y: y + height / 2 + 4, 'text-anchor': 'middle' }, size(bytes))
    );
  return y + height;
}

function edge(y, address) {
  return svg('text', { class: 'edge', x: SPACE.bar, y: y }, address ? hex(address) + ', the end for programs' : '0');
}

function cutMark(y, bytes) {
  var x = SPACE.bar,
    w = SPACE.barWidth,
    m = y + SPACE.cut / 2;
  return svg(
    'g',
    { class: 'cut' },
    svg('path', {
      d:
        'M' +
        x +
        ' ' +
        y +
        ' V' +
        (m - 4) +
        ' M' +
        (x + w) +
        ' ' +
        y +
        ' V' +
        (m - 4) +
        ' M' +
        x +
        ' ' +
        (m + 4) +
        ' V' +
        (y + SPACE.cut) +
        ' M' +
        (x + w) +
        ' ' +
        (m + 4) +
        ' V' +
        (y + SPACE.cut) +
        ' M' +
        (x - 5) +
        ' ' +
        (m - 1) +
        ' l10 -6 M' +
        (x - 5) +
        ' ' +
        (m + 7) +
        ' l10 -6 M' +
        (x + w - 5) +
        ' ' +
        (m - 1) +
        ' l10 -6 M' +
        (x + w - 5) +
        ' ' +
        (m + 7) +
        ' l10 -6'
    }),
    svg('text', { x: x + w / 2, y: m + 4, 'text-anchor': 'middle' }, size(bytes))
  );
}

// What is new or different since the step before.
function changeOf(region, before) {
  if (!before || view.at === 0) return 'new';
  var same = before.regions.find(function (old) {
    return old.range.start === region.range.start && old.range.end === region.range.end;
  });
  if (same) return same.rights === region.rights && same.state === region.state ? '' : 'changed';
  var overlaps = before.regions.some(function (old) {
    return old.range.start < region.range.end && region.range.start < old.range.end;
  });
  return overlaps ? 'changed' : 'new';
}

function regionGroup(memory, region, before) {
  var change = changeOf(region, before),
    range = region.range;
  var chosen = view.address !== null && range.start <= view.address && view.address < range.end;
  var name =
    hex(range.start) +
    ' to ' +
    hex(range.end) +
    ', ' +
    region.rights +
    ' ' +
    region.state +
    ' ' +
    region.name +
    ' ' +
    change;
  function choose() {
    var page = pagesOf(memory).find(function (one) {
      return range.start <= one.address && one.address < range.end;
    });
    select(view.pid, page ? page.address : range.start);
  }
  return svg('g', {
    class: 'part ' + change + (chosen ? ' chosen' : ''),
    tabindex: '0',
    role: 'button',
    'aria-label': name,
    'data-start': range.start,
    'data-end': range.end,
    'data-key': 'region-' + range.start,
    onclick: choose,
    onkeydown: function (event) {
      if (event.key === 'Enter' || event.key === ' ') {
        event.preventDefault();
        choose();
      }
    }
  });
}

function pageKind(page) {
  var frame = frameOf(page.entry.frame, shown());
  if (page.entry.bits.indexOf('P') < 0) return 'off';
  if (frame && frame.purpose === 'zero') return 'zero';
  if (page.entry.bits.indexOf('COW') >= 0 && frame && frame.maps > 1) return 'cow';
  return frame && frame.purpose === 'cache' ? 'file' : 'own';
}

// Pages that are in memory, at their places; with frame numbers where there is room.
function drawPages(group, region, pages, y, height) {
  var count = (region.range.end - region.range.start) / PAGE,
    each = height / count;
  if (each >= 5)
    for (var line = 1; line < count; line++) {
      group.append(
        svg('path', { class: 'grid', d: 'M' + SPACE.bar + ' ' + (y + line * each) + ' h' + SPACE.barWidth })
      );
    }
  pages.forEach(function (page) {
    if (page.address < region.range.start || page.address >= region.range.end) return;
    var top = y + ((region.range.end - page.address - PAGE) / PAGE) * each,
      tall = Math.max(each, 2);
    var chosen = view.address !== null && Math.floor(view.address / PAGE) * PAGE === page.address;
    var cell = svg(
      'g',
      {
        class: 'cell ' + pageKind(page) + (chosen ? ' chosen' : ''),
        onclick: function (event) {
          event.stopPropagation();
          select(view.pid, page.address);
        }
      },
      svg('rect', {
        x: SPACE.bar + 6,
        y: top + Math.min(1.5, each / 6),
        width: SPACE.barWidth - 12,
        height: Math.max(1.5, tall - Math.min(3, each / 3)),
        rx: Math.min(3, tall / 4)
      })
    );
    if (each >= 13) {
      cell.append(
        svg(
          'text',
          { x: SPACE.bar + SPACE.barWidth / 2, y: top + each / 2 + 4, 'text-anchor': 'middle' },
          'frame ' + page.entry.frame + (pageKind(page) === 'cow' ? ' cow' : pageKind(page) === 'zero' ? ' zero' : '')
        )
      );
    }
    cell.append(
      svg('title', {}, hex(page.address) + ': frame ' + page.entry.frame + ' [' + page.entry.bits.join(' ') + ']')
    );
    group.append(cell);
  });
  if (view.address !== null && region.range.start <= view.address && view.address < region.range.end) {
    var at = y + ((region.range.end - Math.floor(view.address / PAGE) * PAGE - PAGE / 2) / PAGE) * each;
    group.append(svg('path', { class: 'pointer', d: 'M' + (SPACE.bar - 3) + ' ' + at + ' l-9 -6 v12 z' }));
  }
}

// Gives each label its own place, near its region; returns the height that is needed.
function placeLabels(labels, height) {
  var free = 4;
  labels.forEach(function (label) {
    label.y = Math.max(free, label.middle - SPACE.labelHeight / 2);
    free = label.y + SPACE.labelHeight;
  });
  // What was pushed too far down moves up again as far as there is room.
  var limit = Math.max(height, free - SPACE.labelHeight / 3);
  for (var index = labels.length - 1; index >= 0; index--) {
    if (labels[index].y + SPACE.labelHeight > limit) labels[index].y = limit - SPACE.labelHeight;
    limit = labels[index].y;
  }
  var lowest = labels[labels.length - 1];
  return lowest.y + SPACE.labelHeight + 4;
}

function drawLabel(label, pages) {
  var region = label.region,
    range = region.range,
    x = SPACE.label,
    y = label.y;
  var present = pages.filter(function (page) {
    return range.start <= page.address && page.address < range.end;
  }).length;
  var right = SPACE.bar + SPACE.barWidth;
  var about =
    region.name || (region.grows_down ? 'grows down' : region.kind === 'anonymous' ? 'anonymous' : region.kind);
  var count = (range.end - range.start) / PAGE,
    narrow = SPACE.width < 400;
  var rights = region.rights || region.state,
    text = ' ' + clip(about, narrow ? 10 : 20) + ', ' + plural(count, 'page');
  // About 6.6 pixels a letter: what has no room is left out; the pages themselves show it.
  var more = present ? ', ' + present + ' in memory' : '';
  if ((rights + text + more).length * 6.6 < SPACE.width - x) text += more;
  label.group.append(
    svg('path', {
      class: 'leader',
      d: 'M' + right + ' ' + label.middle + ' L' + (x - 12) + ' ' + (y + 13) + ' H' + (x - 5)
    }),
    svg('rect', { class: 'hit', x: x - 5, y: y, width: SPACE.width - x + 4, height: SPACE.labelHeight - 2, rx: 4 }),
    svg('text', { class: 'range', x: x, y: y + 15 }, hex(range.start) + '–' + hex(range.end)),
    svg('text', { class: 'about', x: x, y: y + 29 }, svg('tspan', { class: 'rights' }, rights), text)
  );
}

function clip(text, letters) {
  return text.length > letters ? '…' + text.slice(1 - letters) : text;
}

// The whole address space on a thin bar, true to scale: how empty it is.
function overview(root, memory, height) {
  var top = 14,
    tall = height - 24;
  var bar = svg(
    'g',
    { class: 'overview', 'aria-hidden': 'true' },
    svg('rect', { x: 6, y: top, width: 10, height: tall })
  );
  memory.regions.forEach(function (region) {
    var y = top + tall * (1 - region.range.end / memory.end);
    bar.append(
      svg('rect', {
        class: rightsClass(region),
        x: 6,
        y: Math.min(y, top + tall - 1.5),
        width: 10,
        height: Math.max(1.5, (tall * (region.range.end - region.range.start)) / memory.end)
      })
    );
  });
  bar.append(svg('title', {}, 'all of the ' + size(memory.end) + ', to scale'));
  root.append(bar);
}

function goneRegions(memory, before) {
  if (!before || before.id !== memory.id) return [];
  var gone = before.regions.filter(function (old) {
    return !memory.regions.some(function (region) {
      return old.range.start < region.range.end && region.range.start < old.range.end;
    });
  });
  if (!gone.length) return [];
  return [
    el(
      'p',
      { class: 'gone' },
      'Gone: ' +
        gone
          .map(function (old) {
            return hex(old.range.start) + '–' + hex(old.range.end) + ' ' + old.rights;
          })
          .join(', ')
    )
  ];
}
