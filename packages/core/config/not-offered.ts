import type { PluginKind } from "./registry.ts";

/** Words of the linter about a plug-in of the Python server that has no counterpart yet. */
export interface NotOffered {
  readonly message: string;
  readonly remedy: string;
}

const LEAVE_OUT = "leave it out for now, or write one of your own: `vcon-server create`";

const speech = (url: string, variable: string) =>
  `use openai_transcribe with OPENAI_BASE_URL: ${url} and OPENAI_API_KEY: \${${variable}}`;

/** Plug-ins of the Python server that are not offered yet, by the last word of their module, with what does the work. */
const NOT_OFFERED: Readonly<Record<PluginKind, Readonly<Record<string, string>>>> = {
  link: {
    analyze_vcon: "use analyze, or write one of your own: `vcon-server create`",
    detect_engagement: "use check_and_tag with a question such as `Did both sides take part in the conversation?`",
    groq_whisper: speech("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    hugging_face_whisper: "use openai_transcribe, deepgram_link or transcribe",
    hugging_llm_link: "use analyze with OPENAI_BASE_URL: https://router.huggingface.co/v1",
    wtf_transcribe: "use openai_transcribe, deepgram_link or transcribe: they write a wtf_transcription as well",
    diet: LEAVE_OUT,
    post_analysis_to_slack: "use webhook, or write one of your own: `vcon-server create`",
    datatrails: LEAVE_OUT,
    scitt: LEAVE_OUT,
  },
  storage: {
    chatgpt_files: LEAVE_OUT,
    dataverse: LEAVE_OUT,
    scitt: LEAVE_OUT,
    sftp: LEAVE_OUT,
    spaceandtime: LEAVE_OUT,
    vcon_mcp: LEAVE_OUT,
    webhook: "use the link webhook at the end of the chain",
  },
  tracer: { jlinc: LEAVE_OUT },
};

/** Why a module of the Python server is not there; `undefined` for any other name. */
export function notOffered(kind: PluginKind, module: string): NotOffered | undefined {
  const short = module.slice(module.lastIndexOf(".") + 1);
  const remedy = Object.hasOwn(NOT_OFFERED[kind], short) ? NOT_OFFERED[kind][short] : undefined;
  if (remedy === undefined) return undefined;
  return { message: `the ${kind} ${short} of the Python server is not offered yet`, remedy };
}
