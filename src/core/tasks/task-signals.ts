/** Words that tell a task. Patterns are alternations of literals: their time is linear in the text. */

import type { TaskType } from "../../domain/deployment.ts";

export interface TaskSignal {
  readonly pattern: RegExp;
  /** A text without a character of this kind need not be searched. */
  readonly script: RegExp;
  /** How much one hit says, 1 (a hint) to 4 (all but certain). */
  readonly weight: number;
}

/** Whole words or stems (ending in `*`) of scripts with spaces; `\b` knows only ASCII, hence the look-behind. */
function words(...stems: readonly string[]): RegExp {
  const parts = stems.map((stem) => (stem.endsWith("*") ? stem.slice(0, -1) : `${stem}(?![\\p{L}\\p{N}_])`));
  return new RegExp(`(?<![\\p{L}\\p{N}_])(?:${parts.join("|")})`, "iu");
}

/** Pieces of scripts without spaces. */
function pieces(...texts: readonly string[]): RegExp {
  return new RegExp(texts.join("|"), "u");
}

export const HAN: RegExp = /[\u3400-\u9fff]/;
export const CYRILLIC: RegExp = /[\u0400-\u04ff]/;
export const ANY: RegExp = /^/;

const signal = (weight: number, ...patterns: readonly RegExp[]): readonly TaskSignal[] =>
  patterns.map((pattern) => ({ pattern, script: findScript(pattern), weight }));

/** Han, Cyrillic, or whatever else. */
function findScript({ source }: RegExp): RegExp {
  return [HAN, CYRILLIC].find((script) => script.test(source)) ?? ANY;
}

/** In the order in which equal weights are decided: the more particular task first. */
export const TASK_SIGNALS: readonly { readonly task: TaskType; readonly signals: readonly TaskSignal[] }[] = [
  {
    task: "translation",
    signals: [
      ...signal(
        4,
        words("translat*"),
        pieces("翻译", "翻譯", "译成", "译为"),
        words("перевед*", "перевод*", "переведите"),
      ),
      ...signal(
        2,
        words("into english", "into chinese", "into russian", "into french", "into german", "into spanish"),
        pieces("成英文", "成中文", "成俄文", "成英语"),
        words("на английск*", "на русск*", "на китайск*"),
      ),
    ],
  },
  {
    task: "summarization",
    signals: [
      ...signal(
        4,
        words("summari*", "summary", "tl;dr", "tldr", "recap", "in brief", "condense*", "abstract of"),
        pieces("总结", "摘要", "概括", "概述", "归纳", "總結"),
        words(
          "кратко излож*",
          "резюмир*",
          "суммариз*",
          "краткое содержание",
          "кратк*",
          "подведи итог*",
          "вкратце",
        ),
      ),
      ...signal(2, words("key points", "main points", "shorten", "brief"), pieces("要点", "简述")),
    ],
  },
  {
    task: "classification",
    signals: [
      ...signal(
        4,
        words(
          "classif*",
          "categori*",
          "sentiment",
          "label the",
          "label this",
          "label each",
          "spam or",
          "is this spam",
        ),
        pieces("分类", "归类", "情感分析", "情感倾向", "打标签", "属于哪一类", "分類"),
        words("классифи*", "категори*", "тональност*", "к какому класс*", "спам"),
      ),
      ...signal(2, words("positive or negative", "which category", "true or false", "yes or no")),
    ],
  },
  {
    task: "extraction",
    signals: [
      ...signal(
        4,
        words(
          "extract*",
          "pull out",
          "list all the names",
          "find all the",
          "parse the following",
          "named entit*",
        ),
        pieces("提取", "抽取", "找出所有", "列出所有", "萃取"),
        words("извлек*", "извлеч*", "выдели все", "выпиши*", "найди все", "вытащи*"),
      ),
      ...signal(
        2,
        words("as json", "in json", "fields"),
        pieces("以json", "JSON格式"),
        words("в виде json", "в json"),
      ),
    ],
  },
  {
    task: "code_generation",
    signals: [
      ...signal(
        3,
        /```/u,
        words(
          "code",
          "coding",
          "refactor*",
          "debug*",
          "unit test*",
          "regex*",
          "stack trace",
          "compil*",
          "bug",
        ),
        pieces("代码", "編程", "编程", "程序", "函数", "调试", "脚本", "正则", "单元测试"),
        words("код", "кода", "коде", "программ*", "функци*", "скрипт*", "отлад*", "регулярн*"),
      ),
      ...signal(
        2,
        words("function", "program", "class", "script", "algorithm", "api", "query", "implement*"),
        words(
          "python",
          "javascript",
          "typescript",
          "java",
          "rust",
          "golang",
          "sql",
          "html",
          "css",
          "bash",
          "php",
        ),
        /c\+\+|c#/iu,
        pieces("算法", "实现一个", "接口"),
        words("алгоритм*", "реализ*", "класс на"),
      ),
      ...signal(2, /(?:^|\n)[ \t]*(?:def|class|import|function|const|let|public|#include|SELECT|fn)\s/u),
    ],
  },
  {
    task: "batch_processing",
    signals: signal(
      4,
      words("for each of the following", "for every row", "batch", "process all of these", "each line below"),
      pieces("批量", "批处理", "逐条", "对以下每"),
      words("пакетн*", "для каждой строки", "для каждого из", "массов*"),
    ),
  },
  {
    task: "reasoning",
    signals: [
      ...signal(
        4,
        words("step by step", "prove", "proof", "deduce", "puzzle", "riddle", "solve", "logic*", "reason*"),
        pieces("推理", "证明", "逐步", "一步一步", "解方程", "推导", "求解", "逻辑"),
        words("докажи*", "доказа*", "пошагово", "шаг за шагом", "реши*", "логич*", "рассуд*", "задач*"),
      ),
      ...signal(
        2,
        words(
          "why",
          "explain*",
          "how does",
          "how do",
          "how can",
          "what if",
          "calculat*",
          "equation*",
          "math*",
        ),
        pieces("为什么", "为何", "解释", "如何", "计算", "怎么", "为甚么"),
        words("почему", "объясн*", "зачем", "вычисли*", "как работает", "посчитай*", "уравнени*"),
      ),
    ],
  },
  {
    task: "analysis",
    signals: [
      ...signal(
        4,
        words(
          "analy*",
          "evaluat*",
          "assess*",
          "compar*",
          "pros and cons",
          "trade-off*",
          "critique",
          "review",
        ),
        pieces("分析", "评估", "比较", "对比", "优缺点", "评价", "利弊"),
        words("анализ*", "проанализ*", "оцени*", "оценк*", "сравни*", "плюсы и минусы"),
      ),
      ...signal(
        2,
        words("trend*", "insight*", "report"),
        pieces("趋势", "洞察", "报告"),
        words("тенденци*", "отчёт", "отчет"),
      ),
    ],
  },
  {
    task: "text_generation",
    signals: [
      ...signal(
        3,
        words(
          "story",
          "poem",
          "essay",
          "email",
          "e-mail",
          "letter",
          "blog",
          "article",
          "slogan",
          "joke",
          "song",
        ),
        pieces("故事", "诗", "作文", "文章", "邮件", "写信", "一封信", "笑话", "小说", "文案"),
        words("истори*", "рассказ*", "стих*", "эссе", "письмо", "стать*", "сказк*", "шутк*"),
      ),
      ...signal(
        1,
        words("write", "compose", "draft", "tell me", "continue"),
        pieces("写", "续写"),
        words("напиши*", "сочини*", "расскажи*", "придумай*"),
      ),
    ],
  },
];
