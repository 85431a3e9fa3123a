// What people paste where a video's id is asked for.

const ID = /^[A-Za-z0-9_-]{11}$/;
const HOSTS = /^(?:(?:www|m|music)\.)?youtube(?:-nocookie)?\.com$/;
const FOLDERS = new Set(["shorts", "live", "embed", "v"]);

// The id in an id or address of a video, null where there is none.
export function videoId(text) {
  const written = text.trim();
  if (ID.test(written)) return written;
  let url;
  try {
    url = new URL(/^https?:\/\//i.test(written) ? written : `https://${written}`);
  } catch {
    return null;
  }
  const parts = url.pathname.split("/").filter(Boolean);
  let found = null;
  if (url.hostname === "youtu.be") [found] = parts;
  else if (HOSTS.test(url.hostname)) {
    found = FOLDERS.has(parts[0]) ? parts[1] : url.searchParams.get("v");
  }
  return ID.test(found ?? "") ? found : null;
}
