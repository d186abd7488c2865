import { expect } from "chai";
import fc from "fast-check";
import { classifyTask, classifyText, keywordClassifier } from "../../../../src/core/tasks/classify-task.ts";
import { TASK_TYPES, type TaskType } from "../../../../src/domain/deployment.ts";
import type { ContentPart, Message } from "../../../../src/domain/request.ts";
import { sampleRequest } from "../../../support/sample-catalog.ts";

const ROWS: readonly (readonly [TaskType, string])[] = [
  ["code_generation", "Write a Python function that reverses a list"],
  ["code_generation", "Fix the bug in this: ```js\nlet a = ;\n```"],
  ["code_generation", "Refactor this class to use composition"],
  ["code_generation", "Write a SQL query for the ten largest orders"],
  ["code_generation", "Implement a binary search in Rust"],
  ["code_generation", "Please write unit tests for the parser"],
  ["code_generation", "def add(a, b):\n  return a - b\nwhat is wrong here?"],
  ["code_generation", "用 Python 写一个快速排序函数"],
  ["code_generation", "帮我调试这段代码"],
  ["code_generation", "写一个正则匹配邮箱地址"],
  ["code_generation", "Напиши функцию на Python, которая сортирует список"],
  ["code_generation", "Найди ошибку в коде и исправь её"],
  ["code_generation", "Нужен скрипт для резервного копирования"],
  ["translation", "Translate this sentence to French: good morning"],
  ["translation", "Please give me a translation of the letter below"],
  ["translation", "把下面的句子翻译成英文:今天天气很好"],
  ["translation", "请将这段代码注释译成中文"],
  ["translation", "Переведи на английский: доброе утро"],
  ["translation", "Сделай перевод этой статьи на русский"],
  ["summarization", "Summarize the following article in three sentences"],
  ["summarization", "Give me a short summary of this report"],
  ["summarization", "TL;DR please"],
  ["summarization", "请总结以下文章的主要内容"],
  ["summarization", "为这篇论文写一个摘要"],
  ["summarization", "Кратко изложи содержание статьи"],
  ["summarization", "Сделай краткое содержание книги"],
  ["summarization", "Резюмируй обсуждение"],
  ["classification", "Classify this review as positive or negative"],
  ["classification", "What is the sentiment of this tweet?"],
  ["classification", "Which category does the ticket belong to? Categorize it."],
  ["classification", "Is this spam or not: you won a prize"],
  ["classification", "请对下面的评论进行情感分析"],
  ["classification", "把这些新闻分类"],
  ["classification", "Классифицируй обращение клиента"],
  ["classification", "Определи тональность отзыва"],
  ["extraction", "Extract all email addresses from this text"],
  ["extraction", "Pull out the dates and return them as JSON"],
  ["extraction", "Find all the people mentioned below"],
  ["extraction", "从下面的文本中提取所有人名"],
  ["extraction", "抽取合同中的金额和日期"],
  ["extraction", "Извлеки все даты из текста"],
  ["extraction", "Выпиши имена и телефоны"],
  ["reasoning", "Solve this step by step: 17 * 23"],
  ["reasoning", "Prove that the square root of two is irrational"],
  ["reasoning", "Explain why the sky is blue"],
  ["reasoning", "How does a heat pump work?"],
  ["reasoning", "请一步一步推理这个问题"],
  ["reasoning", "证明根号二是无理数"],
  ["reasoning", "为什么天空是蓝色的?"],
  ["reasoning", "Почему небо голубое?"],
  ["reasoning", "Докажи теорему Пифагора"],
  ["reasoning", "Реши уравнение x^2 = 4 шаг за шагом"],
  ["analysis", "Analyze the sales figures of the last quarter"],
  ["analysis", "Compare PostgreSQL with MySQL for our case"],
  ["analysis", "What are the pros and cons of remote work?"],
  ["analysis", "分析一下这家公司的财务状况"],
  ["analysis", "比较两种方案的优缺点"],
  ["analysis", "Проанализируй рынок электромобилей"],
  ["analysis", "Сравни два подхода к обучению"],
  ["batch_processing", "For each of the following products suggest a name"],
  ["batch_processing", "批量处理以下地址"],
  ["batch_processing", "Для каждой строки придумай заголовок"],
  ["text_generation", "Tell me a story"],
  ["text_generation", "Write a poem about the sea"],
  ["text_generation", "Hello, world!"],
  ["text_generation", "你好,请介绍一下自己"],
  ["text_generation", "写一个关于龙的故事"],
  ["text_generation", "Привет, как дела?"],
  ["text_generation", "Расскажи сказку про лису"],
  ["text_generation", "The decoder ring was in the barcode box"],
  ["text_generation", ""],
];

function ask(...parts: readonly ContentPart[]): Message {
  return { role: "user", parts };
}

describe("the keyword classifier", () => {
  for (const [task, text] of ROWS) {
    it(`takes ${JSON.stringify(text)} for ${task}`, () => {
      expect(keywordClassifier.classify(sampleRequest({ messages: [ask({ kind: "text", text })] }))).to.equal(
        task,
      );
    });
  }

  it("takes a request with an image for vision_analysis, whatever the words say", () => {
    const image: ContentPart = { kind: "image", source: { kind: "url", url: "https://example.com/a.png" } };
    const messages = [ask({ kind: "text", text: "Translate the code" }, image)];
    expect(classifyTask(sampleRequest({ messages }))).to.equal("vision_analysis");
  });

  for (const [language, text] of [
    ["English", "the quick brown fox jumps over it ".repeat(5_000)],
    ["Chinese", "今天天气很好".repeat(8_000)],
  ] as const) {
    it(`takes a very long ${language} prompt for long_context, even when earlier messages make it long`, () => {
      const messages = [ask({ kind: "text", text }), ask({ kind: "text", text: "Summarize it" })];
      expect(classifyTask(sampleRequest({ messages }))).to.equal("long_context");
    });
  }

  it("goes by the last question of the user, not by the instructions or the answers before", () => {
    const messages: Message[] = [
      { role: "system", parts: [{ kind: "text", text: "You translate code" }] },
      ask({ kind: "text", text: "Write a Python function" }),
      { role: "assistant", parts: [{ kind: "text", text: "def f(): pass" }] },
      ask({ kind: "text", text: "Now summarize what it does" }),
    ];
    expect(classifyTask(sampleRequest({ messages }))).to.equal("summarization");
  });

  it("gives the opening words more weight than what comes later", () => {
    const text = `Summarize this: ${"plain words ".repeat(30)} and we must translate it into English`;
    expect(classifyText(text)).to.equal("summarization");
  });

  it("finds a wish at the end of a long text", () => {
    const text = `${"A plain sentence on nothing much. ".repeat(600)}\nTranslate this into French.`;
    expect(classifyText(text)).to.equal("translation");
  });

  it("answers a known task for any text, twice the same", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (text) => {
        const task = classifyText(text);
        expect(TASK_TYPES).to.include(task);
        expect(classifyText(text)).to.equal(task);
      }),
    );
  });

  for (const [what, unit] of [
    ["letters", "a"],
    ["blanks", " "],
    ["backticks", "`"],
    ["line breaks", "\n"],
    ["Han characters", "写"],
  ] as const) {
    it(`takes no longer for 4 MiB of ${what} than for its begin and end`, () => {
      const text = unit.repeat(4 * 1024 * 1024);
      const messages = [ask({ kind: "text", text })];
      classifyText(text);
      const before = process.cpuUsage();
      classifyText(text);
      classifyTask(sampleRequest({ messages }));
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1_000).to.be.below(100);
    });
  }
});
