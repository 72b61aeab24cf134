// openai-node: each line of standard input is a step, each line of output its result.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const installed = createRequire(process.env.CLIENT_MODULES);
const { OpenAI } = installed("openai");
const { zodResponseFormat } = installed("openai/helpers/zod");
const { z } = installed("zod");

const options = { baseURL: process.env.CLIENT_BASE_URL, apiKey: process.env.CLIENT_TOKEN };
const client = new OpenAI(options);
const MAX_TURNS = 8;

const Reminder = z.object({
  kind: z.enum(["call", "write"]),
  urgent: z.boolean(),
  tags: z.array(z.enum(["home", "work"])),
});

function resultOf(name, args, results) {
  return results[name].replace(/\{(\w+)\}/g, (_, key) => String(args[key]));
}

function plain(call) {
  return { id: call.id, name: call.function.name, arguments: call.function.arguments };
}

const steps = {
  async answer(body) {
    return await client.chat.completions.create(body);
  },

  async stream(body) {
    const chunks = [];
    for await (const chunk of await client.chat.completions.create({ ...body, stream: true })) chunks.push(chunk);
    return chunks;
  },

  async accumulate(body) {
    const stream = client.chat.completions.stream(body);
    const events = [];
    stream.on("content.delta", () => events.push("content.delta"));
    stream.on("tool_calls.function.arguments.done", () => events.push("arguments.done"));
    return { completion: await stream.finalChatCompletion(), events };
  },

  async attempt({ options: more, ...body }) {
    return await new OpenAI({ ...options, ...more }).chat.completions.create(body);
  },

  async attempts({ options: more, ...body }) {
    const sent = [];
    const noting = (url, init) => {
      sent.push(new Headers(init.headers).get("x-stainless-retry-count"));
      return fetch(url, init);
    };
    const there = new OpenAI({ ...options, ...more, fetch: noting });
    try {
      return { result: await there.chat.completions.create(body), sent };
    } catch (error) {
      return { failure: failure(error), sent };
    }
  },

  async leave({ after, ...body }) {
    const stream = await client.chat.completions.create({ ...body, stream: true });
    for await (const chunk of stream) {
      if (chunk.tinyagent?.type === after) {
        stream.controller.abort();
        return chunk.tinyagent.run;
      }
    }
    throw new Error(`no ${after}`);
  },

  async tools_loop({ body, results, streamed }) {
    const messages = [...body.messages];
    const waves = [];
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const asked = { ...body, messages };
      const completion = streamed
        ? await client.chat.completions.stream(asked).finalChatCompletion()
        : await client.chat.completions.create(asked);
      const message = completion.choices[0].message;
      const calls = message.tool_calls ?? [];
      if (!calls.length) return { waves, content: message.content };
      waves.push(calls.map(plain));
      messages.push(message);
      for (const call of calls) {
        const content = resultOf(call.function.name, JSON.parse(call.function.arguments), results);
        messages.push({ role: "tool", tool_call_id: call.id, content });
      }
    }
    throw new Error(`no final message: ${JSON.stringify(waves)}`);
  },

  // The package's own loop: it calls the functions itself and sends what they return.
  async run_tools({ body, results, streamed }) {
    const called = [];
    const tools = body.tools.map(({ function: described }) => ({
      type: "function",
      function: {
        ...described,
        parse: JSON.parse,
        function: (args) => {
          called.push({ name: described.name, arguments: args });
          return resultOf(described.name, args, results);
        },
      },
    }));
    const runner = client.chat.completions.runTools({ ...body, tools, stream: streamed ?? false });
    return { content: await runner.finalContent(), called };
  },

  async parse(body) {
    const format = zodResponseFormat(Reminder, "reminder");
    const made = await client.chat.completions.parse({ ...body, response_format: format });
    return made.choices[0].message.parsed;
  },

  async models() {
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    return names;
  },

  async model({ name }) {
    return await client.models.retrieve(name);
  },

  async embed(body) {
    return await client.embeddings.create(body);
  },

  async respond(body) {
    const made = await client.responses.create(body);
    return { ...made, text: made.output_text };
  },

  async respond_stream(body) {
    const events = [];
    for await (const event of await client.responses.create({ ...body, stream: true })) events.push(event);
    return events;
  },

  async respond_accumulate(body) {
    const stream = client.responses.stream(body);
    const events = [];
    for await (const event of stream) events.push(event.type);
    const made = await stream.finalResponse();
    return { text: made.output_text, status: made.status, events };
  },
};

function failure(error) {
  const kinds = [];
  for (let kind = error?.constructor; kind?.name; kind = Object.getPrototypeOf(kind)) kinds.push(kind.name);
  const { status = null, code = null, param = null } = error;
  const headers = error.headers ? Object.fromEntries(error.headers) : {};
  return { kinds, status, code, param, message: error.message, headers };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { step, arguments: given } = JSON.parse(line);
  let told;
  try {
    told = { result: await steps[step](given) };
  } catch (error) {
    told = { failure: failure(error) };
  }
  process.stdout.write(JSON.stringify(told) + "\n");
}
