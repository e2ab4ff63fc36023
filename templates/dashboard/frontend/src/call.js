// Asks the server for a kernel until it has one, or says why not.
const PAUSE = 300; // ms between questions that were answered at once
const UNREACHED = { state: "failed", sentence: "" };

export async function call(address, signal, tell) {
  let ticket;
  for (;;) {
    const answer = await ask(address, ticket, signal);
    if (answer.state !== "starting" && answer.state !== "queue") return answer;
    ticket = answer.ticket;
    tell(answer);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

async function ask(address, ticket, signal) {
  try {
    const body = JSON.stringify(ticket ? { ticket } : {});
    const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body, signal });
    return answer.ok ? await answer.json() : UNREACHED;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return UNREACHED; // no network, or no server
  }
}
