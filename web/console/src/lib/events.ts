// Reads a stream of server-sent events, cut anywhere.
export interface ServerEvent {
  event: string;
  data: string;
}

export class EventReader {
  #rest = "";

  feed(text: string): ServerEvent[] {
    this.#rest += text;
    const found: ServerEvent[] = [];
    for (;;) {
      const end = /\r?\n\r?\n/.exec(this.#rest);
      if (!end) return found;
      const block = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      let event = "message";
      const data: string[] = [];
      for (const line of block.split(/\r?\n/)) {
        if (line.startsWith("event:")) event = line.slice(6).trim();
        else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
      }
      if (data.length) found.push({ event, data: data.join("\n") });
    }
  }

  rest(): string {
    return this.#rest;
  }
}
