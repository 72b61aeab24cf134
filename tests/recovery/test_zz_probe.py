from tests.recovery.test_cut_connections import *
from tests.support.clients import client
@pytest.mark.parametrize("name", ["openai-oldest","openai-2","openai-newest","openai-node","langchain","litellm"])
@pytest.mark.parametrize("spot", ["before the answer","answer body"])
def test_old(place, name, spot):
    before=Before.of(place)
    place.proxy.cuts=[Cut(spot)]
    place.proxy.heads.clear()
    with client(name, place.server, place.proxy.url) as c:
        opts={"maxRetries":2} if name=="openai-node" else {"max_retries":2}
        try:
            if name in ("langchain","litellm"): r=c("answer", **{k:v for k,v in body_of(REQUESTS[0],"x"+name).items() if k!="user"})
            else: r=c("attempt", options=opts, **body_of(REQUESTS[0],"x"+name))
        except Exception as e: r=e
    new=[r for r in place.runs() if r["run"] not in before.runs]
    print(name, spot, "requests",len(place.proxy.heads),"runs",len(new),"files",len(before.new_files()), [h.lower().split("retry-count: ")[1].split("\r")[0] if "retry-count" in h.lower() else None for h in place.proxy.heads], repr(r)[:150])
@pytest.mark.parametrize("name", ["openai-oldest","openai-newest","openai-node"])
def test_old_timeout(place, model, name):
    word="Patient"+name.replace("-","")
    before=Before.of(place)
    place.proxy.heads.clear()
    place.proxy.arrived = threading.Semaphore(0)
    def release():
        for _ in range(2): place.proxy.arrived.acquire(timeout=30)
        model.go_on(word)
    threading.Thread(target=release, daemon=True).start()
    with client(name, place.server, place.proxy.url) as c:
        opts={"maxRetries":2,"timeout":1500} if name=="openai-node" else {"max_retries":2,"timeout":1.5}
        try: r=c("attempt", options=opts, **held(word))
        except Exception as e: r=e
    time.sleep(4)
    new=[r for r in place.runs() if r["run"] not in before.runs]
    print(name, "requests",len(place.proxy.heads),"runs",[n["status"] for n in new],"notes",notes_about(place,word), model.planned.count(word), repr(r)[:150])
