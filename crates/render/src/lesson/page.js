// Steps, keys, and drawing all parts together.
var timer = null;

function goTo(at) {
  at = Math.max(0, Math.min(last, at));
  var forward = at > view.at;
  view.at = at;
  follow();
  draw();
  if (forward && timer && at === last) stop();
}

// Looks where the step looked, or the last one that looked anywhere: it follows from the place alone, not from the way to it.
function follow() {
  var now = state(),
    looked = { pid: now.current, address: null };
  for (var at = view.at; at > 0 && looked.address === null; at--) {
    looked = lookOf(at);
    if (at < view.at) looked.pid = now.current;
  }
  view.pid = processOf(looked.pid) ? looked.pid : now.current;
  view.address = looked.address;
  var memory = memoryOf(view.pid);
  if (
    memory &&
    (view.address === null || view.address >= memory.end || (at < view.at - 1 && !regionAt(memory, view.address)))
  ) {
    var pages = pagesOf(memory);
    view.address = pages.length ? pages[0].address : memory.regions.length ? memory.regions[0].range.start : null;
  }
}

// The process and the address that a step touched or mapped.
function lookOf(at) {
  var step = lesson.steps[at - 1],
    before = lesson.states[at - 1],
    looked = { pid: lesson.states[at].current, address: null };
  step.events.forEach(function (event) {
    if (event.walk) looked = { pid: event.process, address: event.walk.address };
    else if (event.range && event.kind === 'rule') {
      looked.address = event.range.start;
      // A process may change the memory of another one; a child that has just been made is not looked at yet.
      if (processOf(event.process, before)) looked.pid = event.process;
    } else if (event.range && event.kind === 'load') looked.address = event.range.start;
  });
  if (/^walk /.test(step.text)) looked.address = address(step.text.split(/\s+/)[1]);
  return looked;
}

function draw() {
  if (!processOf(view.pid)) view.pid = state().current;
  byId('jump').value = String(view.at);
  byId('jump').setAttribute('aria-valuetext', 'step ' + view.at + ' of ' + last);
  byId('place').textContent = view.at + ' of ' + last;
  byId('back').disabled = byId('first').disabled = view.at === 0;
  byId('step').disabled = byId('last').disabled = view.at === last;
  keepFocus(function () {
    drawQuestions();
    drawCommands();
    drawEvents();
  });
  drawLook();
  scrollScript();
}

// What depends on the process and the address that are looked at.
function drawLook() {
  keepFocus(function () {
    drawTabs();
    drawSpace();
    drawWalk();
    drawTree();
    drawFrames();
    drawStructures();
  });
}

// Drawing makes everything anew: whatever had the focus gets it back.
function keepFocus(drawing) {
  var active = document.activeElement && document.activeElement.closest('[data-key]');
  drawing();
  var again = active && !active.isConnected && document.querySelector('[data-key="' + active.dataset.key + '"]');
  if (again) again.focus({ preventScroll: true });
}

// The next command, and the script with the one that was carried out.
function drawCommands() {
  var next = lesson.steps[view.at];
  replace(
    'next',
    next
      ? [
          el('p', {}, el('span', { class: 'of' }, 'Next command'), el('code', {}, next.text)),
          el(
            'button',
            {
              type: 'button',
              'data-key': 'next',
              onclick: function () {
                stop();
                goTo(view.at + 1);
              }
            },
            'Carry it out ▶'
          )
        ]
      : [el('p', { class: 'quiet' }, 'The end. Step back to look again.')]
  );
  replace(
    'script',
    lesson.steps.map(function (step, index) {
      var done = index < view.at;
      return el(
        'li',
        {
          class: (index === view.at - 1 ? 'now' : '') + (done ? ' done' : ''),
          'aria-current': index === view.at - 1 ? 'step' : null
        },
        el(
          'button',
          {
            type: 'button',
            'data-key': 'script-' + index,
            onclick: function () {
              stop();
              goTo(index + 1);
            }
          },
          step.text
        ),
        questionsAt(index).length ? el('span', { class: 'asks', title: 'asked before this step' }, '?') : null
      );
    })
  );
}

// Keeps the command that was carried out in sight within its list, without moving the page.
function scrollScript() {
  var list = byId('script'),
    now = list.querySelector('.now');
  if (now) list.scrollTop = Math.max(0, now.offsetTop - list.offsetTop - list.clientHeight / 2);
}

function play() {
  byId('play').setAttribute('aria-pressed', 'true');
  byId('play').firstChild.textContent = '⏸';
  if (view.at === last) goTo(0);
  timer = setTimeout(function tick() {
    // A question that nobody has answered stops the play: it is to be thought about.
    if (isOpen(view.at) || view.at === last) {
      stop();
      return;
    }
    goTo(view.at + 1);
    if (timer) timer = setTimeout(tick, Number(byId('speed').value));
  }, 300);
}

function stop() {
  clearTimeout(timer);
  timer = null;
  byId('play').setAttribute('aria-pressed', 'false');
  byId('play').firstChild.textContent = '▶';
}

function movePage(pages) {
  if (view.address === null) return;
  var to = Math.floor(view.address / PAGE) * PAGE + pages * PAGE,
    memory = memoryOf(view.pid);
  if (memory && to >= 0 && to < memory.end) select(view.pid, to);
}

byId('lens').open = /look-up|list/i.test(lesson.title + lesson.about);
byId('about').textContent = lesson.about;
byId('jump').max = String(last);
byId('first').addEventListener('click', function () {
  goTo(0);
});
byId('back').addEventListener('click', function () {
  stop();
  goTo(view.at - 1);
});
byId('step').addEventListener('click', function () {
  stop();
  goTo(view.at + 1);
});
byId('last').addEventListener('click', function () {
  goTo(last);
});
byId('play').addEventListener('click', function () {
  if (timer) stop();
  else play();
});
byId('jump').addEventListener('input', function () {
  stop();
  goTo(Number(byId('jump').value));
});
byId('page-down').addEventListener('click', function () {
  movePage(-1);
});
byId('page-up').addEventListener('click', function () {
  movePage(1);
});
byId('choose').addEventListener('submit', function (event) {
  event.preventDefault();
  var wanted = address(byId('address').value),
    memory = memoryOf(view.pid);
  byId('address').blur();
  if (wanted !== null && memory && wanted < memory.end) select(view.pid, wanted);
  else drawWalk();
});
var system = matchMedia('(prefers-color-scheme: dark)');
function followSystem() {
  document.documentElement.dataset.theme = system.matches ? 'dark' : 'light';
}
followSystem();
system.addEventListener('change', followSystem);
byId('theme').addEventListener('click', function () {
  var root = document.documentElement;
  root.dataset.theme = root.dataset.theme === 'dark' ? 'light' : 'dark';
});
document.querySelector('.skip').addEventListener('click', function () {
  byId('lesson').focus();
});
document.addEventListener('keydown', function (event) {
  if (event.altKey || event.ctrlKey || event.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  var moves = { ArrowLeft: view.at - 1, ArrowRight: view.at + 1, Home: 0, End: last };
  if (event.key in moves) {
    event.preventDefault();
    stop();
    goTo(moves[event.key]);
  } else if (event.key === 'p' || event.key === 'P') byId('play').click();
});
// Pointing at a frame shows it wherever it occurs.
['mouseover', 'mouseout', 'focusin', 'focusout'].forEach(function (kind) {
  document.addEventListener(kind, function (event) {
    var chip = event.target.closest && event.target.closest('[data-frame]');
    if (!chip) return;
    var on = kind === 'mouseover' || kind === 'focusin';
    document.querySelectorAll('[data-frame="' + chip.dataset.frame + '"]').forEach(function (one) {
      one.classList.toggle('lit', on);
    });
  });
});
window.addEventListener('resize', drawSpace);
var wanted = Number(location.hash.slice(1));
goTo(Number.isInteger(wanted) ? wanted : 0);
