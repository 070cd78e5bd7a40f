// Questions and their grading. What was answered is kept while the page is open.
// For each question, by place and number: {given, right, shown}.
var answers = {};
var questionCount = lesson.scenes.reduce(function (sum, _, at) {
  return sum + questionsAt(at).length;
}, 0);

function answerOf(at, index) {
  var key = at + '/' + index;
  if (!answers[key]) answers[key] = { given: '', tried: false, right: false, shown: false };
  return answers[key];
}

// Says whether a text is the right answer; the rules are those of plat sim.
function accepts(question, given) {
  given = given.trim();
  var right = question.answer.right;
  switch (question.answer.form) {
    case 'number':
      return /^(0x[0-9a-f]+|[0-9]+)$/i.test(given) && Number(given) === right;
    case 'address':
      return address(given) === right;
    case 'word':
      return given.toLowerCase() === right.toLowerCase();
    case 'choice':
      return given === String(right);
    case 'maps':
      return sameMaps(given, right);
  }
  return false;
}

function address(text) {
  var digits = text.trim().toLowerCase().replace(/^0x/, '').replace(/_/g, '');
  return /^[0-9a-f]+$/.test(digits) ? parseInt(digits, 16) : null;
}

function sameMaps(given, right) {
  var lines = given
    .split(/[;\n]/)
    .map(function (line) {
      return line.trim();
    })
    .filter(Boolean);
  var found = lines
    .map(function (line) {
      var words = line.split(/\s+/),
        ends = words[0].split('-');
      return { start: address(ends[0] || ''), end: address(ends[1] || ''), rights: wholeRights(words[1] || '?') };
    })
    .filter(function (region) {
      return region.start === null || region.start < Math.pow(2, 63);
    });
  found.sort(function (a, b) {
    return a.start - b.start;
  });
  return (
    found.length === right.length &&
    found.every(function (region, index) {
      return (
        region.start === right[index][0].start &&
        region.end === right[index][0].end &&
        region.rights === right[index][1]
      );
    })
  );
}

function wholeRights(text) {
  if (text === 'none') text = '';
  if (/[^rwxps-]/.test(text)) return '?';
  return (
    ['r', 'w', 'x']
      .map(function (letter) {
        return text.indexOf(letter) >= 0 ? letter : '-';
      })
      .join('') + (text.indexOf('s') >= 0 ? 's' : 'p')
  );
}

function rightText(question) {
  var right = question.answer.right;
  switch (question.answer.form) {
    case 'address':
      return hex(right);
    case 'choice':
      return question.choices[right];
    case 'maps':
      return right
        .map(function (region) {
          return region[0].start.toString(16) + '-' + region[0].end.toString(16) + ' ' + region[1];
        })
        .join('\n');
  }
  return String(right);
}

function isOpen(at) {
  return questionsAt(at).some(function (_, index) {
    var one = answerOf(at, index);
    return !one.right && !one.shown;
  });
}

// Paragraphs and questions in their order; where there is no paragraph, the last ones that were read stand above.
function drawQuestions() {
  var parts = lesson.scenes[view.at].parts,
    at = view.at,
    count = 0,
    earlier = [];
  if (
    !parts.some(function (part) {
      return part.prose;
    })
  ) {
    while (
      at > 0 &&
      !lesson.scenes[at].parts.some(function (part) {
        return part.prose;
      })
    )
      at--;
    earlier = lesson.scenes[at].parts
      .filter(function (part) {
        return part.prose;
      })
      .map(function (part) {
        return el('p', { class: 'earlier' }, ...rich(part.prose));
      });
  }
  replace(
    'parts',
    earlier.concat(
      parts.map(function (part) {
        return part.question ? questionForm(part.question, count++) : el('p', {}, ...rich(part.prose));
      })
    )
  );
  drawScore();
}

function drawScore() {
  var right = Object.keys(answers).filter(function (key) {
    return answers[key].right;
  }).length;
  byId('score').textContent = right + ' of ' + questionCount + ' right';
}

function questionForm(question, index) {
  var answer = answerOf(view.at, index),
    at = view.at,
    name = 'q' + at + '-' + index;
  var done = answer.right || answer.shown;
  var input = question.choices.length
    ? choiceList(question, answer, name, done)
    : valueField(question, answer, name, done);
  var form = el(
    'form',
    {
      class: 'question' + (answer.right ? ' right' : answer.tried && !answer.shown ? ' wrong' : ''),
      'data-question': at + '/' + index,
      // What is typed is kept, whatever is looked at meanwhile.
      oninput: function (event) {
        answer.given = event.target.value;
      },
      onsubmit: function (event) {
        event.preventDefault();
        var field = form.querySelector('input:checked, input[type=text], textarea');
        answer.given = field ? field.value : '';
        if (!answer.given) return;
        answer.tried = true;
        answer.right = accepts(question, answer.given);
        drawQuestions();
        focusQuestion(at, index);
      }
    },
    el(
      'fieldset',
      { disabled: done },
      el('legend', {}, ...rich(question.text)),
      input,
      done
        ? null
        : el(
            'div',
            { class: 'actions' },
            el('button', { type: 'submit', class: 'main' }, 'Check'),
            el(
              'button',
              {
                type: 'button',
                class: 'reveal',
                onclick: function () {
                  answer.shown = true;
                  drawQuestions();
                  focusQuestion(at, index);
                }
              },
              'Show'
            )
          )
    ),
    el('p', { class: 'result', role: 'status' }, resultText(question, answer))
  );
  if (done) form.append(explanation(question));
  return form;
}

function focusQuestion(at, index) {
  var form = document.querySelector('[data-question="' + at + '/' + index + '"]');
  var target =
    form &&
    (form.querySelector('fieldset:not([disabled]) input, fieldset:not([disabled]) textarea') ||
      form.querySelector('.result'));
  if (target) {
    if (target.className === 'result') target.setAttribute('tabindex', '-1');
    target.focus({ preventScroll: true });
  }
}

function resultText(question, answer) {
  if (answer.right) return '✓ Right.';
  if (answer.shown) return 'The answer: ' + rightText(question);
  return answer.tried ? '✗ Not so. Try again, or let it be shown.' : '';
}

function choiceList(question, answer, name, done) {
  return el(
    'div',
    { class: 'choices' },
    ...question.choices.map(function (words, index) {
      var right = done && index === question.answer.right;
      return el(
        'label',
        { class: right ? 'is-right' : '' },
        el('input', {
          type: 'radio',
          name: name,
          value: String(index),
          checked: answer.given === String(index) || (answer.shown && right)
        }),
        el('span', {}, words)
      );
    })
  );
}

function valueField(question, answer, name, done) {
  var maps = question.answer.form === 'maps';
  var hint = maps
    ? '40000-41000 rw-p'
    : question.answer.form === 'number'
      ? 'a number'
      : 'an address such as 0x40000, or an error';
  var value = answer.shown ? rightText(question) : answer.given;
  if (maps) {
    var area = el('textarea', {
      name: name,
      rows: String(Math.max(2, question.answer.right.length)),
      placeholder: hint,
      'aria-label': 'Your answer',
      spellcheck: 'false'
    });
    area.value = value;
    return area;
  }
  return el('input', {
    type: 'text',
    name: name,
    value: value,
    placeholder: hint,
    'aria-label': 'Your answer',
    autocomplete: 'off',
    spellcheck: 'false',
    inputmode: question.answer.form === 'number' ? 'numeric' : null
  });
}

function explanation(question) {
  var parts = question.because.slice(0, 12).map(function (because) {
    return el('li', {}, el('code', {}, because.code), ' ', short(because.text));
  });
  return el(
    'div',
    { class: 'because' },
    question.note ? el('p', {}, ...rich(question.note)) : null,
    parts.length ? el('ul', { class: 'events' }, ...parts) : null
  );
}
