// Drives lesson pages in Chromium as a reader does: steps, steps back, jumps, answers, keys, a narrow screen.
// node check.mjs PLAYWRIGHT CHROMIUM FOLDER: the folder holds N.html (plat sim lesson N --html) and N.json (--solve --format json).
import { createRequire } from 'node:module';
import { readdirSync, readFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [playwright, executablePath, folder] = process.argv.slice(2);
const { chromium } = createRequire(import.meta.url)(playwright);
// Chromium refuses its sandbox to root, as whom continuous integration runs; the pages are our own.
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const numbers = readdirSync(folder)
  .filter(name => name.endsWith('.html'))
  .map(name => name.slice(0, -5))
  .sort((a, b) => a - b);
let passed = 0,
  failed = 0;

// Opens a page without a network; what it complains about, or asks for, fails the check.
async function open(number, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
    ...options
  });
  await context.setOffline(true);
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', error => complaints.push(error.message));
  page.on('console', message => complaints.push(message.text()));
  page.on('request', request => {
    if (!request.url().startsWith('file:')) complaints.push(request.url());
  });
  page.setDefaultTimeout(20000);
  await page.goto(pathToFileURL(path.resolve(folder, `${number}.html`)).href);
  const data = JSON.parse(await page.locator('#data').textContent());
  return {
    page,
    data,
    last: data.steps.length,
    done: async () => {
      assert.deepEqual(complaints, []);
      await context.close();
    }
  };
}

async function check(name, test) {
  const start = performance.now();
  try {
    await test();
    passed++;
    console.log(`ok ${((performance.now() - start) / 1000).toFixed(1).padStart(5)} s  ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED      ${name}: ${error.stack}`);
  }
}

// Everything that shows a state, as text and as shapes.
const picture = page =>
  page.evaluate(() =>
    ['place', 'parts', 'events', 'space', 'walk', 'tree', 'frames', 'structures', 'script']
      .map(id => document.getElementById(id).outerHTML)
      .join('\n')
  );
const place = page => page.locator('#place').textContent();

for (const number of numbers) {
  await check(`lesson ${number}: steps forwards and back show the same states`, async () => {
    const { page, last, done } = await open(number);
    const seen = [await picture(page)];
    for (let at = 1; at <= last; at++) {
      await step(page, number, 'Step', 'ArrowRight');
      assert.equal(await place(page), `${at} of ${last}`);
      seen.push(await picture(page));
    }
    assert.equal(new Set(seen).size, seen.length, 'every state looks different');
    assert.ok(await page.getByRole('button', { name: 'Step', exact: true }).isDisabled());
    for (let at = last - 1; at >= 0; at--) {
      await step(page, number, 'Step back', 'ArrowLeft');
      assert.equal(await place(page), `${at} of ${last}`);
      assert.equal(await picture(page), seen[at], `back at ${at}`);
    }
    assert.ok(await page.getByRole('button', { name: 'Step back' }).isDisabled());
    await done();
  });

  await check(`lesson ${number}: wrong answers are refused, the simulator's are right`, async () => {
    const { page, data, last, done } = await open(number);
    const key = JSON.parse(readFileSync(path.join(folder, `${number}.json`), 'utf8'));
    const total = key.questions.length;
    let answered = 0;
    for (let at = 0; at <= last; at++) {
      for (const [index, question] of questions(data.scenes[at]).entries()) {
        const right = key.questions[answered].answer,
          form = page.locator(`[data-question="${at}/${index}"]`);
        assert.equal(key.questions[answered].text, question.text);
        await give(form, question, question.choices.length ? wrongChoice(right) : '0xdead');
        assert.match(await form.locator('.result').textContent(), /Not so/, question.text);
        assert.equal(await score(page), `${answered} of ${total} right`);
        await give(form, question, right);
        assert.match(await form.locator('.result').textContent(), /Right/, question.text);
        answered++;
        assert.equal(await score(page), `${answered} of ${total} right`);
        if (question.moment === 'next')
          assert.ok((await form.locator('.because li').count()) > 0, `${question.text}: reasons`);
      }
      if (at < last) await page.getByRole('button', { name: 'Step', exact: true }).click();
    }
    assert.equal(answered, total);
    await done();
  });

  await check(`lesson ${number}: the page walks the tables as the processor of the simulator`, async () => {
    const { page, data, done } = await open(number);
    let walks = 0;
    for (const [index, step] of data.steps.entries()) {
      const walk = step.events.filter(event => event.code === 'walk').at(-1);
      if (!walk || step.events.at(-1) !== walk) continue;
      await jump(page, index + 1);
      assert.equal(await page.locator('#address').inputValue(), '0x' + walk.walk.address.toString(16));
      const cards = await page.locator('#walk .table').allTextContents();
      for (const [level, expected] of walk.walk.steps.entries()) {
        assert.ok(
          cards[level].includes(
            `in frame ${expected.frame}, entry ${expected.index} at 0x${expected.entry_at.toString(16)}`
          ),
          cards[level]
        );
      }
      assert.ok(cards.at(-1).includes(`physical 0x${walk.walk.end.done.physical.toString(16)}`), cards.at(-1));
      walks++;
    }
    if (walks === 0) assert.ok(!data.steps.some(step => step.events.at(-1)?.code === 'walk'));
    await done();
  });

  await check(`lesson ${number}: regions are drawn to scale`, async () => {
    const { page, last, done } = await open(number);
    let drawn = 0;
    for (let at = 1; at <= last; at++) {
      await jump(page, at);
      const regions = await page
        .locator('#space .part')
        .evaluateAll(parts =>
          parts.map(part => [
            part.dataset.end - part.dataset.start,
            Number(part.querySelector('.region').getAttribute('height'))
          ])
        );
      // Heights below 4 pixels are drawn as 4, so that nothing is lost from sight.
      const scales = regions.filter(([, height]) => height > 4).map(([bytes, height]) => height / bytes);
      for (const scale of scales) assert.ok(Math.abs(scale / scales[0] - 1) < 0.001, `step ${at}: ${regions}`);
      drawn += scales.length;
    }
    assert.ok(drawn > last / 2, `${drawn} regions in ${last} steps`);
    await done();
  });

  await check(`lesson ${number}: fits a phone, and every control has a name`, async () => {
    const { page, last, done } = await open(number, { viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    for (let at = 0; at <= last; at++) {
      await jump(page, at);
      const [wide, nameless] = await page.evaluate(() => [
        document.scrollingElement.scrollWidth,
        [...document.querySelectorAll('button, input, select, textarea, [role=button]')]
          .filter(
            node => !(node.getAttribute('aria-label') || node.title || node.textContent.trim() || node.closest('label'))
          )
          .map(node => node.outerHTML)
      ]);
      assert.ok(wide <= 390, `step ${at} is ${wide} pixels wide`);
      assert.deepEqual(nameless, []);
    }
    await done();
  });
}

await check('keys, jumps, play, the address, the script and the theme', async () => {
  const { page, last, done } = await open(5);
  await page.keyboard.press('End');
  assert.equal(await place(page), `${last} of ${last}`);
  await page.keyboard.press('ArrowLeft');
  assert.equal(await place(page), `${last - 1} of ${last}`);
  await page.keyboard.press('Home');
  assert.equal(await place(page), `0 of ${last}`);
  await jump(page, 3);
  assert.equal(await place(page), `3 of ${last}`);
  await page.locator('#script button').nth(4).click();
  assert.equal(await place(page), `5 of ${last}`);
  // A process that is chosen is shown; a shared frame has as many marks as owners.
  await jump(page, 11);
  assert.equal(await page.locator('#tree .process').count(), 3);
  assert.ok((await page.locator('#tree .chip.shared').count()) >= 6);
  await page.locator('#tree .process .name').first().click();
  assert.equal(await page.locator('#tabs [aria-pressed=true]').textContent(), '1 shell');
  await page.locator('#address').fill('0x41000');
  await page.locator('#address').press('Enter');
  assert.match(await page.locator('#walk').textContent(), /COW/);
  assert.match(await page.locator('#walk .verdict').textContent(), /read ✓write faults/);
  assert.match(
    await page.locator('#frames .owners').textContent(),
    /process 1 at 0x41000, process 2 at 0x41000, process 3 at 0x41000/
  );
  await page.getByRole('button', { name: 'One page higher' }).click();
  assert.equal(await page.locator('#address').inputValue(), '0x42000');
  // The keyboard alone: a region is chosen, and keeps the focus; what was typed before stays.
  await jump(page, 6);
  await page.locator('[data-question="6/0"] input').fill('17');
  await page.locator('#address').fill('0x7000');
  await page.locator('#address').press('Enter');
  await page.locator('#space .part').first().focus();
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('#address').inputValue(), '0x40000');
  assert.equal(await page.evaluate(() => document.activeElement.dataset.key), 'region-262144');
  assert.equal(await page.locator('[data-question="6/0"] input').inputValue(), '17');
  await page.locator('#tabs button').nth(1).click();
  assert.equal(await page.evaluate(() => document.activeElement.dataset.key), 'tab-2');
  await page.keyboard.press('ArrowRight');
  assert.equal(await place(page), `7 of ${last}`);
  await page.locator('#next button').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  assert.equal(await place(page), `9 of ${last}`);
  // Play goes on by itself, and waits at a question.
  await page.keyboard.press('Home');
  await page.locator('#speed').selectOption('fast');
  await page.locator('#play').click();
  await page.waitForFunction(() => document.getElementById('play').getAttribute('aria-pressed') === 'false', null, {
    timeout: 60000
  });
  assert.equal(await place(page), `5 of ${last}`);
  const before = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.getByRole('button', { name: 'Light or dark' }).click();
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), before);
  await done();
});

await browser.close();
console.log(`lesson pages: ${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);

// By the button in one lesson, by the key, which is faster, in the others.
async function step(page, number, name, key) {
  if (number === '5') await page.getByRole('button', { name, exact: true }).click();
  else await page.keyboard.press(key);
}

function questions(scene) {
  return scene.parts.filter(part => part.question).map(part => part.question);
}

function score(page) {
  return page.locator('#score').textContent();
}

function wrongChoice(right) {
  return right.startsWith('a)') ? 'b)' : 'a)';
}

async function give(form, question, answer) {
  if (question.choices.length)
    await form
      .locator('input[type=radio]')
      .nth(answer.charCodeAt(0) - 97)
      .check();
  else await form.locator('input[type=text], textarea').fill(answer);
  await form.getByRole('button', { name: 'Check' }).click();
}

async function jump(page, at) {
  await page.locator('#jump').evaluate((field, value) => {
    field.value = value;
    field.dispatchEvent(new Event('input'));
  }, String(at));
}
