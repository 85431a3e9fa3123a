// Ticket ids as people type them; the same rules as voxlake/tickets/ids.py.

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TAIL = 11; // six characters of time, four of a hash, the check character
const MISREAD = { I: "1", L: "1", O: "0" };

// {id} as it is written everywhere, or {error} in words.
export function readTicketId(typed) {
  const written = typed.trim().toUpperCase().replace(/[\s\-\u2010-\u2015_.]+/g, "");
  const prefix = written.slice(0, -TAIL);
  const tail = written.slice(-TAIL).replace(/[ILO]/g, (letter) => MISREAD[letter]);
  if (!/^[A-Z]{2,4}$/.test(prefix) || [...tail].some((one) => !ALPHABET.includes(one))) {
    return { error: "A ticket number looks like BAG-6F8VY4-YCSS6. Please type it as you got it." };
  }
  if (tail.at(-1) !== checkCharacter(prefix, tail.slice(0, -1))) {
    return {
      error: "This number has a slip in it: a character is wrong, or two are swapped. "
        + "Please compare it with the one you got.",
    };
  }
  return { id: `${prefix}-${tail.slice(0, 6)}-${tail.slice(6)}` };
}

// A Reed-Solomon symbol over the field of 32 elements (x^5 + x^2 + 1).
function checkCharacter(prefix, body) {
  const letters = [...prefix].map((letter) => letter.charCodeAt(0) & 31);
  const symbols = [...body].map((one) => ALPHABET.indexOf(one));
  let total = 0;
  for (const value of [...letters, ...symbols]) {
    total = (total ^ value) << 1;
    if (total & 32) total ^= 0b100101;
  }
  return ALPHABET[total];
}
