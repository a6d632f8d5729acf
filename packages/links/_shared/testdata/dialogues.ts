import { sampleVcon } from "@vcon-server/core/testing";
import type { Dialog, Vcon } from "@vcon-server/vcon";

/** Conversations of a service desk, written for these tests: party 0 is the customer, party 1 the agent. */
const DIALOGUES = {
  lostParcel: `
    Customer: I have been waiting for my parcel for three weeks and nobody answers my e-mails.
    Agent: Hello, thank you for contacting us. How can I help you?
    Customer: I just told you. This is unacceptable. I want my money back now.
    Agent: I am sorry about that. Could you give me the order number?
    Customer: It is 4711. You people are useless. Every time I call I get a different story.
    Agent: The carrier lost the parcel, unfortunately. I have issued a full refund of forty pounds today.
    Customer: I will never order from you again. Terrible service.
    Agent: I understand. You will get a confirmation by mail. Goodbye.`,
  roses: `
    Agent: Good morning, this is Maria from Green Garden. How can I help?
    Customer: Hi Maria, I just wanted to call and say thank you. The roses arrived today and they are beautiful.
    Agent: Oh, that is lovely to hear!
    Customer: Your driver was so friendly and even carried them into the garden. I am really happy with the service.
    Agent: I will pass that on to him. We are glad you like them.
    Customer: I will certainly recommend you to my friends. Have a wonderful day!
    Agent: You too, goodbye.`,
  appointment: `
    Agent: Doctor Brown's office, good afternoon.
    Customer: Good afternoon. I would like to move my appointment from Tuesday to Thursday.
    Agent: Which time on Thursday?
    Customer: Ten in the morning, if there is a slot.
    Agent: Ten is taken. There is a slot at half past eleven.
    Customer: Half past eleven on Thursday then.
    Agent: I have moved your appointment to Thursday at half past eleven.
    Customer: Goodbye.`,
  internet: `
    Agent: Thank you for calling Skyline Broadband, my name is Tom. How may I help you today?
    Customer: Hi Tom. My internet connection drops every evening around eight o'clock. It started after the storm.
    Agent: I see. Have you restarted the router?
    Customer: Yes, several times. It works for ten minutes and then it is gone again.
    Agent: Let me run a line test. One moment please.
    Agent: The test shows noise on the line. It looks like water got into the street cabinet.
    Customer: So what happens now?
    Agent: I will send an engineer to the street cabinet tomorrow between eight and twelve. You don't need to be at home.
    Customer: And do I have to pay for that?
    Agent: No, it is free of charge, and I will credit one week of your subscription.
    Customer: Great, thank you for your help.
    Agent: You're welcome. Have a nice day.`,
  billing: `
    Customer: Hello, I was charged twice for my subscription in March.
    Agent: I am sorry to hear that. May I have your account number?
    Customer: Sure, it is 88231.
    Agent: I can see two payments of 49.99 on the third of March. That was an error in our billing system.
    Customer: How long until I get it back?
    Agent: The second payment will be refunded within five business days.
    Customer: Okay, fine. Thanks.`,
} as const;

export type DialogueName = keyof typeof DIALOGUES;

const START = Date.UTC(2026, 0, 15, 9);

/** One of them, a text dialog for each turn. */
export const dialogue = (name: DialogueName): Vcon => chat(DIALOGUES[name].trim().split(/\n\s*/));

/** A chat of lines such as `Agent: Hello.`, half a minute apart. */
export const chat = (lines: readonly string[]): Vcon =>
  sampleVcon({
    parties: [
      { name: "Ann Example", role: "customer" },
      { name: "Bob Example", role: "agent" },
    ],
    dialog: lines.map((line, index): Dialog => {
      const agent = line.startsWith("Agent: ");
      return {
        type: "text",
        start: new Date(START + index * 30_000).toISOString(),
        parties: [0, 1],
        ...(agent && { originator: 1 }),
        mediatype: "text/plain",
        body: line.replace(/^(?:Agent|Customer): /, ""),
        encoding: "none",
      };
    }),
  });
